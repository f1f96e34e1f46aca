import { ByteWriter, concat } from "../archive/bytes.js";
import { OWN } from "../archive/codebook.js";
import type { HeadFields } from "../archive/record.js";
import { CHECKSUM_BYTES } from "../archive/sizes.js";
import type { EncodeKernels, SymbolCoding } from "../kernel-types.js";

/** How the blocks of a record are to be written. */
export interface Writing {
  readonly plan: Omit<HeadFields, "exact">;
  /** The codebook as elements in the order of the codes; empty for codings without. */
  readonly codebook: Uint8Array;
  /** The one block of a record coded by context. */
  readonly stream?: Uint8Array;
  /** The record's head as written, whose bytes the first block's checksum covers. */
  readonly head: Uint8Array;
  /** Of a tensor that was shared, the code of each centroid. */
  readonly codeOf?: Uint8Array;
}

/** A block that was sifted and shared. */
export interface Coded {
  readonly gaps: Uint32Array;
  readonly maxGap: number;
  /** The index of each survivor's centroid. */
  readonly codes: Uint8Array;
}

/** A block to be written. */
export interface BlockAccess {
  readonly elementBytes: number;
  /** Elements of the block. */
  readonly count: number;
  /** Its elements, row-major. */
  dense(): Promise<Uint8Array>;
  /** Given where its survivors have codes already. */
  readonly coded?: () => Promise<Coded>;
}

/** A block as it stands in a record, in pieces, without its checksum. */
export async function encodeBlock(
  kernels: EncodeKernels,
  writing: Writing,
  axes: readonly [number, number, number],
  block: BlockAccess,
): Promise<Uint8Array[]> {
  const { plan, codebook } = writing;
  const { elementBytes } = block;
  if (writing.stream) return [writing.stream];
  if (plan.coding === "raw") return [await block.dense()];
  if (plan.coding === "bytes") return encodePlanes(kernels, plan.symbols, await block.dense());
  if (plan.coding === "dense") return [kernels.encodeSymbols(await denseCodes(kernels, writing, block), plan.symbols[0])];

  if (block.coded && plan.scan === 0 && plan.codebookKind !== OWN) {
    const { gaps, codes } = await block.coded();
    return sparse(kernels, plan, gaps, () => [kernels.encodeSymbols(renumbered(kernels, codes, writing.codeOf), plan.symbols[1])]);
  }
  const rowMajor = await block.dense();
  const elements = plan.scan === 0 ? rowMajor : kernels.scan(rowMajor, elementBytes, axes, plan.scan);
  const kept = kernels.compact(elements, elementBytes);
  return sparse(kernels, plan, kept.gaps, () =>
    plan.codebookKind === OWN
      ? encodePlanes(kernels, plan.symbols.slice(1), kept.elements)
      : [kernels.encodeSymbols(codesOf(kernels, kept.elements, elementBytes, codebook), plan.symbols[1])],
  );
}

function sparse(kernels: EncodeKernels, plan: Writing["plan"], gaps: Uint32Array, survivors: () => Uint8Array[]): Uint8Array[] {
  const counts = new ByteWriter().varint(gaps.length);
  if (gaps.length === 0) return [(plan.escape ? counts : counts.varint(0)).finish()];
  if (plan.escape) {
    const { symbols, extra } = kernels.escapeGaps(gaps, plan.gapParameter);
    return [counts.finish(), kernels.encodeSymbols(symbols, plan.symbols[0]), extra, ...survivors()];
  }
  const symbols = kernels.fillGaps(gaps, plan.gapParameter);
  return [counts.varint(symbols.length - gaps.length).finish(), kernels.encodeSymbols(symbols, plan.symbols[0]), ...survivors()];
}

/** The code of every element of a block, zeros among them. */
async function denseCodes(kernels: EncodeKernels, { codebook, codeOf }: Writing, block: BlockAccess): Promise<Uint8Array> {
  const { elementBytes } = block;
  const zero = zeroCode(codebook, elementBytes);
  if (block.coded === undefined || codeOf === undefined) return codesOf(kernels, await block.dense(), elementBytes, codebook);
  const { gaps, codes } = await block.coded();
  if (gaps.length === block.count) return renumbered(kernels, codes, codeOf);
  // Scattering leaves 0 where there is no survivor: zero's code and 0 change places before, and after.
  const swap = Uint8Array.from({ length: 256 }, (_, code) => (code === 0 ? zero : code === zero ? 0 : code));
  const placed = renumbered(
    kernels,
    codes,
    codeOf.map((code) => swap[code]),
  );
  return kernels.mapBytes(kernels.scatter(gaps, undefined, placed, 1, block.count), swap);
}

/** The code of the element whose bits are all zero. */
function zeroCode(codebook: Uint8Array, elementBytes: number): number {
  for (let code = 0; code * elementBytes < codebook.length; code++) {
    if (codebook.subarray(code * elementBytes, (code + 1) * elementBytes).every((byte) => byte === 0)) return code;
  }
  return 0;
}

function renumbered(kernels: EncodeKernels, codes: Uint8Array, codeOf: Uint8Array | undefined): Uint8Array {
  if (codeOf === undefined || codeOf.every((code, i) => code === i)) return codes;
  const table = new Uint8Array(256);
  table.set(codeOf);
  return kernels.mapBytes(codes, table);
}

function encodePlanes(kernels: EncodeKernels, codings: readonly SymbolCoding[], elements: Uint8Array): Uint8Array[] {
  return codings.map((coding, plane) => kernels.encodeSymbols(kernels.splitPlane(elements, codings.length, plane), coding));
}

/** The codes of elements that are all in the codebook. */
export function codesOf(kernels: EncodeKernels, elements: Uint8Array, elementBytes: number, codebook: Uint8Array): Uint8Array {
  const indexed = kernels.index(elements, elementBytes, codebook);
  if (indexed === undefined || indexed.table.length !== codebook.length) throw new Error("a block changed between two readings");
  return indexed.codes;
}

/**
 * A block as it stands in a record: its length before it, where there are several, and its checksum behind.
 *
 * @param head of the record, for its first block
 */
export function sealBlock(
  kernels: EncodeKernels,
  block: readonly Uint8Array[],
  head: Uint8Array | undefined,
  several: boolean,
): Uint8Array {
  const before = new ByteWriter();
  if (head !== undefined) before.bytes(head);
  if (several) before.varint(block.reduce((sum, piece) => sum + piece.length, CHECKSUM_BYTES));
  const covered = [before.finish(), ...block];
  const crc = covered.reduce((seed, piece) => kernels.crc32c(piece, seed), 0);
  return concat([...covered, new ByteWriter().u32(crc).finish()]);
}
