import { type Core, coreOf, type PlannedHead } from "../archive/core.js";
import type { TensorEntry } from "../archive/header.js";
import { MOST_HEAD_BYTES } from "../archive/sizes.js";
import { type Archive, openWith, readerOf } from "../decode/archive.js";
import { drive } from "../decode/drive.js";
import type { OpenOptions } from "../decode/options.js";
import { type BlockSpan, type Steps, walkRecord } from "../decode/record.js";
import { FormatError } from "../errors.js";
import type { DecodeKernels } from "../kernel-types.js";
import type { Source } from "../types.js";

/** A block of a record, for `decodePlanned`. It holds numbers and bytes only: a thread can send it to another. */
export interface PlannedBlock {
  readonly plan: PlannedHead;
  readonly span: BlockSpan;
}

/** An archive that was opened, for who looks at its records, or decodes their blocks in any order. */
export interface PlannedArchive extends Archive {
  readonly core: Core<PlannedHead>;
  /**
   * What the head of a tensor's record says. Its checksum is not looked at: that covers the first block, too.
   *
   * @throws FormatError where the head is at fault
   */
  plan(entry: TensorEntry): Promise<PlannedHead>;
  /**
   * Where the blocks of a tensor are. Of a record of several blocks the lengths are read, when the next is asked for; of one block, only the head.
   *
   * @throws FormatError where the head or a length is at fault, or bytes are left after the last block. What the checksums say, `decodePlanned` looks at
   */
  layout(entry: TensorEntry): AsyncGenerator<PlannedBlock, void, undefined>;
  /** Bytes of the archive, which the source may lend only until it is read from again. There may be fewer where it is cut off. */
  bytes(offset: number, byteLength: number): Promise<Uint8Array>;
}

/** Opens an archive: see `openWith`. */
export async function openArchive(source: Source, kernels: DecodeKernels, options: OpenOptions = {}): Promise<PlannedArchive> {
  const core = coreOf(kernels);
  const bytes = readerOf(source);
  return {
    ...(await openWith(core, source, options)),
    core,
    bytes,
    plan: async (entry) => core.readHead(await bytes(entry.recordOffset, Math.min(MOST_HEAD_BYTES, entry.recordByteLength)), entry),
    layout: (entry) => drive(walkRecord(core, entry, plannedBlock), bytes),
  };
}

/**
 * Decodes one block, without the others of its record.
 *
 * @param bytes the archive's bytes from `span.offset` on
 * @param out takes the block's elements, row-major: it has `blockByteLength` bytes. Nothing is written before the checksum was right
 * @throws FormatError where the block is at fault
 */
export function decodePlanned(core: Core<PlannedHead>, { plan, span }: PlannedBlock, bytes: Uint8Array, out: Uint8Array): void {
  const { offset, byteLength, seedCrc } = span;
  if (bytes.length < byteLength) throw new FormatError("TRUNCATED", offset + bytes.length, "a block is cut off");
  core.decodeBlock(plan, bytes.subarray(0, byteLength), offset, seedCrc, out, false);
}

function* plannedBlock(plan: PlannedHead, span: BlockSpan): Steps<PlannedBlock> {
  yield { plan, span };
}
