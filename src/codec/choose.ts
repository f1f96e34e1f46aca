import { codebookKeys, FLOAT16, LISTED, OWN, SORTED, writeListed, writeSorted } from "../archive/codebook.js";
import { mostContextElements } from "../archive/context.js";
import type { HeadFields } from "../archive/record.js";
import { SCANS, scanRows } from "../archive/scans.js";
import type { EncodeKernels } from "../kernel-types.js";
import type { Dtype } from "../types.js";
import { BLOCK_ELEMENTS, blocksIn } from "./blocks.js";
import type { TensorWork } from "./encode.js";
import { codesOf } from "./encode-block.js";
import { type GapCounts, gapsSize, type Measured, type MeasuredGaps, measureGaps, measureGapsLike, measureSymbols } from "./measure.js";
import type { Contexts } from "./quantize.js";
import { addGaps, type Survey } from "./survey.js";

/** A coding of a tensor, ready to be written, and what it takes. */
export interface Choice {
  readonly head: Omit<HeadFields, "exact">;
  /** The codebook as elements in the order of the codes; empty for codings without. */
  readonly codebook: Uint8Array;
  /** Bytes of the whole record, checksums left out; four-stream sequences may take a few more. */
  readonly byteLength: number;
  readonly gaps: MeasuredGaps | undefined;
  /** The codes, or the byte planes. */
  readonly symbols: readonly Measured[];
  /** The one block of a record coded by context. */
  readonly stream?: Uint8Array;
}

const NO_BYTES = new Uint8Array(0);
const HEAD_BYTES = { raw: 1, bytes: 1, dense: 2, sparse: 3, context: 2 } as const;

/** What counts as small: bytes of the record without it. */
const SMALL_BYTES = 1 << 14;

/** Scans that context coding tries: by rows, and by columns. */
const CONTEXT_SCANS = [0, 1];

/**
 * The smallest coding of a tensor, by exact size, its gaps as `measureGaps` writes them; of equals the one with the lower number (docs/format.md, section 4).
 */
export async function choose(kernels: EncodeKernels, dtype: Dtype, work: TensorWork, found: Survey, contexts: Contexts): Promise<Choice> {
  const blocks = blocksIn(work.elements);
  const plain = { blockElements: BLOCK_ELEMENTS, elements: work.elements, scan: 0, escape: false, gapParameter: 0 };
  const base = { ...plain, codebookKind: 0, codebookBytes: NO_BYTES };
  const raw: Choice = {
    head: { ...base, coding: "raw", symbols: [] },
    codebook: NO_BYTES,
    byteLength: HEAD_BYTES.raw + work.elements * work.elementBytes,
    gaps: undefined,
    symbols: [],
  };
  if (work.elements === 0) return raw;
  const choices = [raw];
  if (found.planes) {
    const symbols = found.planes.all.map((counts) => measureSymbols(kernels, counts, blocks));
    choices.push(sized({ ...base, coding: "bytes", symbols: symbols.map(({ coding }) => coding) }, NO_BYTES, undefined, symbols));
  }
  const { table } = found;
  const stored = table && found.stored > 0 ? sortedTable(table.elements, table.counts, dtype, work.elementBytes) : undefined;
  const dense = denseCodes(found, stored, work, dtype);
  if (dense) {
    const symbols = [measureSymbols(kernels, dense.counts, blocks)];
    choices.push(sized({ ...base, ...dense.book, coding: "dense", symbols: [symbols[0].coding] }, dense.elements, undefined, symbols));
  }
  if (found.stored > 0) choices.push(...(await sparseChoices(kernels, work, found, stored, base)));
  const best = smallest(choices);
  if (!stored || blocks > 1 || contexts === "none") return best;
  if (contexts === "small" && best.byteLength > SMALL_BYTES) return best;
  return smallest([best, ...contextChoices(kernels, work, await work.dense(), stored, base)]);
}

function smallest(choices: readonly Choice[]): Choice {
  return choices.reduce((best, choice) => (choice.byteLength < best.byteLength ? choice : best));
}

/** Context coding has no size but by doing it. */
function contextChoices(kernels: EncodeKernels, work: TensorWork, block: Uint8Array, stored: SortedTable, base: Base): Choice[] {
  const { elementBytes, axes } = work;
  const { elements: codebook, book } = stored;
  const codes = codebook.length / elementBytes;
  const scans = walk(axes, 0) === walk(axes, 1) ? [0] : CONTEXT_SCANS;
  return scans.flatMap((scan) => {
    const { rows, columns, kernel } = scanRows(axes, scan);
    const elements = scan === 0 ? block : kernels.scan(block, elementBytes, axes, scan);
    const stream = kernels.encodeContext(contextSymbols(kernels, elements, elementBytes, codebook), rows, columns, kernel, codes);
    if (work.elements > mostContextElements(stream.length)) return [];
    const choice = sized({ ...base, ...book, coding: "context", scan, symbols: [] }, codebook, undefined, []);
    return [{ ...choice, byteLength: choice.byteLength + stream.length, stream }];
  });
}

/** 0 for each zero element, and the code plus 1 for the others. */
function contextSymbols(kernels: EncodeKernels, elements: Uint8Array, elementBytes: number, codebook: Uint8Array): Uint16Array {
  const kept = kernels.compact(elements, elementBytes);
  const codes = codesOf(kernels, kept.elements, elementBytes, codebook);
  const symbols = new Uint16Array(elements.length / elementBytes);
  let at = 0;
  for (let i = 0; i < codes.length; i++) {
    at += kept.gaps[i];
    symbols[at++] = codes[i] + 1;
  }
  return symbols;
}

type Base = Omit<Choice["head"], "coding" | "symbols">;

async function sparseChoices(
  kernels: EncodeKernels,
  work: TensorWork,
  found: Survey,
  sorted: SortedTable | undefined,
  base: Base,
): Promise<Choice[]> {
  const blocks = blocksIn(work.elements);
  const { scan, gaps } = await bestScan(kernels, work, found.gaps);
  const sparse = { ...base, coding: "sparse", scan, escape: gaps.escape, gapParameter: gaps.gapParameter } as const;
  const choices: Choice[] = [];
  if (sorted) {
    const symbols = [measureSymbols(kernels, sorted.counts, blocks)];
    const head = { ...sparse, ...sorted.book, symbols: [gaps.coding, symbols[0].coding] };
    choices.push(sized(head, sorted.elements, gaps, symbols));
  }
  if (found.planes) {
    const symbols = found.planes.stored.map((counts) => measureSymbols(kernels, counts, blocks));
    const head = { ...sparse, codebookKind: OWN, symbols: [gaps.coding, ...symbols.map(({ coding }) => coding)] };
    choices.push(sized(head, NO_BYTES, gaps, symbols));
  }
  return choices;
}

function sized(head: Choice["head"], codebook: Uint8Array, gaps: MeasuredGaps | undefined, symbols: readonly Measured[]): Choice {
  const sequences = gaps ? [gaps, ...symbols] : symbols;
  const headBits = sequences.reduce((sum, { headBits }) => sum + headBits, 0);
  const blockBytes = sequences.reduce((sum, { bits }) => sum + Math.ceil(bits / 8), 0);
  const byteLength = HEAD_BYTES[head.coding] + head.codebookBytes.length + Math.ceil(headBits / 8) + blockBytes;
  return { head, codebook, byteLength, gaps, symbols };
}

/** From this many survivors on, scans are compared by one alphabet: which is the best differs little between them, and a byte of the head no longer counts. */
const ONE_ALPHABET_FROM = 1 << 14;

/** The scan whose gaps take the least, and they. A tensor of several blocks is row-major. */
async function bestScan(kernels: EncodeKernels, work: TensorWork, rowMajor: GapCounts): Promise<{ scan: number; gaps: MeasuredGaps }> {
  const blocks = blocksIn(work.elements);
  const first = measureGaps(kernels, rowMajor, blocks);
  if (blocks > 1) return { scan: 0, gaps: first };
  // Gaps depend on where the survivors are, and not on what they are: bytes are quicker to walk than elements.
  const kept = kernels.compact(await work.dense(), work.elementBytes);
  const mask = kernels.scatter(kept.gaps, undefined, new Uint8Array(kept.gaps.length).fill(1), 1, work.elements);
  const seen = new Set([walk(work.axes, 0)]);
  const alike = kept.gaps.length >= ONE_ALPHABET_FROM;
  let best: { scan: number; gaps: MeasuredGaps; counts: GapCounts } = { scan: 0, gaps: first, counts: rowMajor };
  for (let scan = 1; scan < SCANS.length; scan++) {
    // Axes of one element do not tell scans apart.
    const order = walk(work.axes, scan);
    if (seen.has(order)) continue;
    seen.add(order);
    const counts = new Map<number, number>();
    addGaps(counts, kernels.scanGaps(mask, 1, work.axes, scan).entries());
    const gaps = alike ? measureGapsLike(kernels, counts, first, blocks) : measureGaps(kernels, counts, blocks);
    if (gapsSize(gaps) < gapsSize(best.gaps)) best = { scan, gaps, counts };
  }
  return { scan: best.scan, gaps: alike && best.scan > 0 ? measureGaps(kernels, best.counts, blocks) : best.gaps };
}

/** The axes of a scan that have more than one index, slowest first. */
function walk(axes: readonly number[], scan: number): string {
  return SCANS[scan].filter((axis) => axes[axis] > 1).join(" ");
}

/** The codebook of all elements, zero among them where it occurs; undefined where there are more than 256. */
function denseCodes(found: Survey, stored: SortedTable | undefined, work: TensorWork, dtype: Dtype): SortedTable | undefined {
  if (!found.table) return undefined;
  const { elementBytes } = work;
  const zeros = work.elements - found.stored;
  if (zeros === 0) return stored;
  const { elements, counts } = found.table;
  if (counts.length === 256) return undefined;
  const withZero = new Uint8Array(elements.length + elementBytes); // the zero element is last
  withZero.set(elements);
  return sortedTable(withZero, Float64Array.from([...counts, zeros]), dtype, elementBytes);
}

/** A codebook in ascending order with its counts, and the smallest way to write it. */
interface SortedTable {
  readonly elements: Uint8Array;
  readonly counts: Uint32Array;
  readonly book: Pick<Choice["head"], "codebookKind" | "codebookBytes">;
}

function sortedTable(elements: Uint8Array, counts: Float64Array, dtype: Dtype, elementBytes: number): SortedTable {
  const keys = codebookKeys(elements, dtype, elementBytes);
  const order = [...keys.keys()].sort((a, b) => (keys[a] < keys[b] ? -1 : 1));
  const sorted = new Uint8Array(elements.length);
  for (const [to, from] of order.entries())
    sorted.set(elements.subarray(from * elementBytes, (from + 1) * elementBytes), to * elementBytes);
  const ways = [
    { codebookKind: LISTED, codebookBytes: writeListed(sorted, elementBytes) },
    {
      codebookKind: SORTED,
      codebookBytes: writeSorted(
        order.map((i) => keys[i]),
        elementBytes,
      ),
    },
  ];
  const halfs = dtype === "F32" ? exactHalfs(sorted) : undefined;
  if (halfs) ways.push({ codebookKind: FLOAT16, codebookBytes: writeListed(halfs, 2) });
  const book = ways.reduce((best, way) => (way.codebookBytes.length < best.codebookBytes.length ? way : best));
  return { elements: sorted, counts: Uint32Array.from(order, (i) => counts[i]), book };
}

/** Float32 elements as float16, where each of them is one. */
function exactHalfs(elements: Uint8Array): Uint8Array | undefined {
  const halfs = new Uint8Array(elements.length / 2);
  const view = new DataView(elements.buffer, elements.byteOffset, elements.length);
  for (let i = 0; i < elements.length / 4; i++) {
    const bits = view.getUint32(4 * i, true);
    const half = exactHalf(bits);
    if (half === undefined) return undefined;
    halfs[2 * i] = half & 255;
    halfs[2 * i + 1] = half >> 8;
  }
  return halfs;
}

/** The float16 that is the same number as float32 bits, where there is one; NaN has none. */
function exactHalf(bits: number): number | undefined {
  const sign = (bits >>> 16) & 0x8000;
  const exponent = ((bits >>> 23) & 255) - 127;
  const fraction = bits & 0x7fffff;
  if (exponent === 128) return fraction === 0 ? sign | 0x7c00 : undefined;
  if ((bits & 0x7fffffff) === 0) return sign;
  if (exponent > 15 || exponent < -24) return undefined;
  if (exponent >= -14) return (fraction & 0x1fff) === 0 ? sign | ((exponent + 15) << 10) | (fraction >> 13) : undefined;
  const whole = 0x800000 | fraction;
  const shift = -exponent - 1; // a subnormal float16 counts 2^-24
  return whole % 2 ** shift === 0 ? sign | (whole / 2 ** shift) : undefined;
}
