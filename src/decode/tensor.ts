import type { Core, RecordHead } from "../archive/core.js";
import type { TensorEntry } from "../archive/header.js";
import { plainBytes } from "../check.js";
import { FormatError } from "../errors.js";
import type { Tensor } from "../types.js";
import type { Block, BlockPlace, WorkOptions } from "./options.js";
import { blockByteLength, type Steps, take, walkRecord } from "./record.js";

/** Options for tensors or for blocks of them. */
export interface RecordOptions extends WorkOptions {
  /** Each block is a result, and not the tensor. */
  readonly blocks?: boolean;
  /** Without `blocks` it is asked for the tensor's place. */
  readonly into?: (tensor: TensorEntry, place: BlockPlace) => Uint8Array;
}

/**
 * Decodes a tensor, or its blocks.
 *
 * @param totalBytes of the dense tensors that the work is on, and
 * @param doneBytes those before this one
 * @param most of a stream, the dense bytes that so many bytes of an archive may carry: what the archive claims is not proven then, and only
 * what blocks that came ask for is allocated
 * @throws FormatError where the record is at fault, `LIMIT` where this runtime cannot allocate the tensor; TypeError, RangeError where `into` gives another buffer than it should
 */
export function* tensorSteps<Head extends RecordHead>(
  core: Core<Head>,
  entry: TensorEntry,
  { blocks, into, onProgress }: RecordOptions,
  totalBytes: number = entry.byteLength,
  doneBytes = 0,
  most?: (archiveBytes: number) => number,
): Steps<Tensor | Block> {
  const { name, dtype, shape } = entry;
  /** What the caller gave is what the caller gets. */
  let given: Uint8Array | undefined;
  const room = (index: number, offset: number, byteLength: number): Uint8Array => {
    if (!into) return allocate(byteLength);
    const title = `what into gives for ${JSON.stringify(name)}`;
    given = into(entry, { index, offset, byteLength });
    const bytes = plainBytes(given, title);
    if (bytes.length !== byteLength) throw new RangeError(`${title} must have ${byteLength} bytes, got ${bytes.length}`);
    return bytes;
  };

  let data = blocks || (most && !into) ? new Uint8Array(0) : room(0, 0, entry.byteLength);
  yield* walkRecord(core, entry, function* (head, span): Steps<Block> {
    const bytes = yield* take(span.offset, span.byteLength);
    const { index } = span;
    const offset = index * blockByteLength(head, 0);
    const byteLength = blockByteLength(head, index);
    const end = offset + byteLength;
    if (most) checkCeiling(doneBytes + end, most(span.offset + span.byteLength));
    let out: Uint8Array;
    if (blocks) out = room(index, offset, byteLength);
    else {
      if (end > data.length) {
        const larger = allocate(Math.min(entry.byteLength, Math.max(end, 2 * data.length)));
        larger.set(data);
        data = larger;
      }
      // Tens of megabytes at once are cleared without being brought into the cache, several times as fast as block by block.
      if (into && head.sparse && index === 0) data.fill(0);
      out = data.subarray(offset, end);
    }
    core.decodeBlock(head, bytes, span.offset, span.seedCrc, out, !(into && blocks));
    onProgress?.({ tensor: name, doneBytes: doneBytes + end, totalBytes });
    if (blocks) yield { tensor: entry, index, offset, data: given ?? out };
  });
  if (!blocks) yield { name, dtype, shape, data: given ?? data };
}

/** @throws FormatError `LIMIT` where the tensors have more bytes than they may */
export function checkCeiling(byteLength: number, most: number): void {
  if (byteLength > most) throw new FormatError("LIMIT", 0, `more than ${most} bytes: set maxBytes to allow them`);
}

/** A zero-filled buffer, which the runtime may be unable to give. */
function allocate(byteLength: number): Uint8Array {
  try {
    return new Uint8Array(byteLength);
  } catch {
    throw new FormatError("LIMIT", 0, `cannot allocate ${byteLength} bytes`);
  }
}
