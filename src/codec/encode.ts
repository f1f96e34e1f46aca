import { ByteWriter } from "../archive/bytes.js";
import type { Elements } from "../archive/record.js";
import { writeRecordHead, zeroHead } from "../archive/record.js";
import { scanName } from "../archive/scans.js";
import type { EncodeKernels } from "../kernel-types.js";
import type { Dtype } from "../types.js";
import { blocksIn } from "./blocks.js";
import { type Choice, choose } from "./choose.js";
import type { PartWork } from "./part.js";
import type { Contexts } from "./quantize.js";
import type { RecordStats } from "./stats.js";
import { mergePlanes, mergeSurveys, PLANES_ALWAYS_UP_TO, type Survey } from "./survey.js";

export interface EncodeOptions {
  /** What the record says of itself: its elements are the source's, bit for bit. */
  readonly exact: boolean;
  readonly contexts: Contexts;
}

/** A tensor in parts, to which its blocks were dealt in turn. */
export interface TensorWork extends Elements {
  readonly parts: readonly PartWork[];
  /** Takes the record in pieces, in order, as they are written; unless given, they are kept. */
  readonly emit?: (piece: Uint8Array) => Promise<void>;
  /** Of a tensor of one block: its elements as they are to come back. */
  dense(): Promise<Uint8Array>;
}

/** What the record of a tensor came to. */
export interface EncodedRecord {
  /** The record in pieces, in order; none where they were emitted. */
  readonly pieces: readonly Uint8Array[];
  readonly byteLength: number;
  readonly stats: RecordStats;
}

/** What all parts together hold, as they are to come back. */
async function surveyed(work: TensorWork): Promise<Survey> {
  const surveys = await Promise.all(work.parts.map((part) => part.survey()));
  const found = mergeSurveys(surveys, work.elementBytes);
  if (found.planes !== undefined || (found.table !== undefined && work.elements > PLANES_ALWAYS_UP_TO)) return found;
  return { ...found, planes: mergePlanes(await Promise.all(work.parts.map(async (part, i) => surveys[i].planes ?? part.planes()))) };
}

/**
 * The record of a tensor, which holds its elements exactly.
 *
 * @param shared what is known of a tensor that was shared: the survey, and the centroids as elements
 */
export async function encodeRecord(
  kernels: EncodeKernels,
  dtype: Dtype,
  work: TensorWork,
  options: EncodeOptions,
  shared?: { readonly survey: Survey; readonly centroids: Uint8Array },
): Promise<EncodedRecord> {
  const found = shared?.survey ?? (await surveyed(work));
  if (found.stored === 0 && blocksIn(work.elements) === 1 && work.elements > 0) {
    const head = zeroHead(options.exact);
    const record = new ByteWriter().bytes(head).u32(kernels.crc32c(head)).finish();
    return { pieces: [record], byteLength: record.length, stats: zeroStats(work.elements) };
  }
  const choice = await choose(kernels, dtype, work, found, options.contexts);
  const { head: plan, codebook, stream } = choice;
  const head = writeRecordHead({ ...plan, exact: options.exact });
  const codeOf = shared && codebook.length > 0 ? codesOfCentroids(shared.centroids, codebook, work.elementBytes) : undefined;
  await Promise.all(work.parts.map((part) => part.prepare({ plan, codebook, stream, head, codeOf })));
  const pieces: Uint8Array[] = [];
  const emit = work.emit ?? (async (piece) => void pieces.push(piece));
  let byteLength = 0;
  for await (const piece of written(work)) {
    byteLength += piece.length;
    await emit(piece);
  }
  return { pieces, byteLength, stats: statsOf(choice, work, found) };
}

/** Blocks that each part may have written before their turn. */
const AHEAD = 2;

/** The record, block by block, all parts writing at a time. */
async function* written({ parts, elements }: TensorWork): AsyncGenerator<Uint8Array, void, undefined> {
  const count = blocksIn(elements);
  const going: Promise<Uint8Array>[] = [];
  for (let index = 0; index < count || going.length > 0; ) {
    for (; index < count && going.length < AHEAD * parts.length; index++) {
      const piece = parts[index % parts.length].write(index);
      piece.catch(() => undefined); // its turn to be told comes below
      going.push(piece);
    }
    yield await (going.shift() as Promise<Uint8Array>);
  }
}

/** The code that each centroid has in a codebook; 0 for those that no weight took. */
function codesOfCentroids(centroids: Uint8Array, codebook: Uint8Array, elementBytes: number): Uint8Array {
  const element = (from: Uint8Array, i: number): string => from.subarray(i * elementBytes, (i + 1) * elementBytes).join();
  const codes = new Map(Array.from({ length: codebook.length / elementBytes }, (_, code) => [element(codebook, code), code]));
  return Uint8Array.from({ length: centroids.length / elementBytes }, (_, i) => codes.get(element(centroids, i)) ?? 0);
}

function statsOf({ head, codebook, gaps, symbols, stream }: Choice, work: TensorWork, found: Survey): RecordStats {
  const raw = head.coding === "raw" ? 8 * work.elements * work.elementBytes : 8 * (stream?.length ?? 0);
  return {
    coding: head.coding,
    scan: scanName(work.axes, head.scan),
    weights: work.elements,
    survivors: found.stored - found.signedZeros,
    stored: found.stored,
    fillers: gaps?.fillers ?? 0,
    codebook: codebook.length / work.elementBytes,
    codebookBytes: head.codebookBytes.length,
    gapAlphabet: gaps?.coding.alphabet ?? 0,
    gapBits: gaps?.bits ?? 0,
    symbolBits: symbols.reduce((sum, { bits }) => sum + bits, raw),
  };
}

/** Of a record that is its head alone. */
function zeroStats(weights: number): RecordStats {
  const none = { survivors: 0, stored: 0, fillers: 0, codebook: 0, codebookBytes: 0, gapAlphabet: 0, gapBits: 0, symbolBits: 0 };
  return { coding: "sparse", scan: "row-major", weights, ...none };
}
