import { type Core, coreOf } from "../../src/archive/core.js";
import { decodeStreamWith, decodeWith } from "../../src/decode/decode.js";
import { FormatError } from "../../src/errors.js";
import { bytesSource, openModel } from "../../src/formats/index.js";
import { decompress } from "../../src/index.js";
import { loadDecoder } from "../../src/kernels/decoder.js";
import { decodeKernelsOf } from "../../src/kernels/decoder-kernels.js";
import { type Tensor, tensorByteLength } from "../../src/types.js";
import { outcomeOf, summary } from "../archive/outcome.js";
import { reseal } from "../archive/reseal.js";
import { reference } from "../cores.js";
import { chunked } from "../decode/streams.js";
import { Random } from "../random.js";
import type { Corpus } from "./corpus.js";
import { aroundHeader, aroundRecord, aroundShell, mutated } from "./mutate.js";

// What it promises, and docs/fuzzing.md explains: only FormatErrors come out, in bounded time and memory, and the decoders agree.

/** No input may take longer. They are a few kilobytes, and what they ask for is held to `MOST_OUTPUT_BYTES`. */
export const MOST_MILLISECONDS = 2000;

/** Ceiling for what an archive may decode to. */
export const MOST_OUTPUT_BYTES: number = 1 << 20;

/** What the files of an archive may have in all: its tensors, one hole each, the bodies of templates, and a safetensors header of a few kilobytes. */
export const MOST_FILES_BYTES: number = 2 * MOST_OUTPUT_BYTES + (1 << 18);

/** What buffers may grow by while one input is tried: it is decoded, by the reference and from a stream too, and its files are asked for. */
export const MOST_ALLOCATED_BYTES: number = 32 << 20;

/** What the decoder's memory may grow to: a block of 2^20 one-byte elements, its symbols, gaps and tables take less. */
export const MOST_WASM_BYTES: number = 32 << 20;

/** What the process may grow by once it is warm. */
export const MOST_GROWTH_BYTES: number = 768 << 20;

/** Every so many inputs the reference decodes too, and the stream decoder. */
const REFERENCE_EVERY = 16;
/** Every so many accepted archives their files are asked for too. */
const FILES_EVERY = 8;
const PROGRESS_MILLISECONDS = 5000;
const WARM_INPUTS = 20_000;

const CEILING = { maxBytes: MOST_OUTPUT_BYTES };
/** Of the streams that inputs are cut into. */
const CHUNK_BYTES = 100;

export interface FuzzOptions {
  readonly inputs: number;
  readonly seed: number;
  readonly progress?: (line: string) => void;
  /** Called with each input that broke a promise. */
  readonly onFailure?: (input: Uint8Array, title: string) => void;
}

export interface FuzzResult {
  readonly inputs: number;
  readonly failures: number;
  readonly accepted: number;
  readonly compared: number;
  /** Archives that gave their files back. */
  readonly restored: number;
  /** Refusals by code. */
  readonly refused: Readonly<Record<string, number>>;
  readonly slowestMilliseconds: number;
  readonly wasmBytes: number;
  /** Most that buffers grew by with one input. */
  readonly allocatedBytes: number;
}

/** Makes and tries inputs; the same seed gives the same ones. */
export async function fuzz({ archives, pieces, shells, models }: Corpus, options: FuzzOptions): Promise<FuzzResult> {
  const { inputs, seed, progress, onFailure } = options;
  const random = new Random(seed);
  const decoder = loadDecoder();
  const core = coreOf(decodeKernelsOf(decoder));
  const records = pieces.map(({ record }) => record);
  const refused: Record<string, number> = {};
  const started = performance.now();
  let [failures, accepted, compared, restored, slowest, told, warm] = [0, 0, 0, 0, 0, started, 0];
  let [allocated, buffers] = [0, 0];

  const fail = (input: Uint8Array, index: number, what: string): void => {
    failures++;
    progress?.(`input ${index} (seed ${seed}): ${what}`);
    onFailure?.(input, `${seed}-${index}`);
  };
  const note = (error: unknown): void => {
    if (!(error instanceof FormatError)) throw error;
    refused[error.code] = (refused[error.code] ?? 0) + 1;
  };

  const archive = async (input: Uint8Array, index: number, always: boolean): Promise<void> => {
    let taken = false;
    try {
      const tensors = decodeWith(core, input, CEILING);
      checkBytes("tensors", sizeOf(tensors), MOST_OUTPUT_BYTES);
      taken = true;
      accepted++;
    } catch (error) {
      note(error);
    }
    if (index % REFERENCE_EVERY === 0) {
      compared++;
      const decoded = summary(outcomeOf(core, input, CEILING));
      if (decoded !== summary(outcomeOf(reference, input, CEILING))) throw new Error("the reference decodes it to something else");
      if (decoded !== (await streamed(core, input))) throw new Error("a stream of it decodes to something else");
    }
    if (taken && (always || accepted % FILES_EVERY === 0)) {
      try {
        const files = await decompress(input, CEILING);
        checkBytes(
          "files",
          files.reduce((sum, { bytes }) => sum + bytes.length, 0),
          MOST_FILES_BYTES,
        );
        restored++;
      } catch (error) {
        note(error);
      }
    }
  };
  const model = async (input: Uint8Array): Promise<void> => {
    try {
      const opened = await openModel(bytesSource(input), { name: "fuzz.npy" });
      for (const [i, { dtype, shape }] of opened.tensors.entries()) {
        const byteLength = tensorByteLength(dtype, shape);
        if (byteLength > 0) await opened.read(i, 0, Math.min(byteLength, MOST_OUTPUT_BYTES));
      }
      await opened.close();
      accepted++;
    } catch (error) {
      note(error);
    }
  };

  for (let index = 0; index < inputs; index++) {
    const kind = random.below(24);
    const isModel = kind < 4;
    const input = isModel ? mutated(random, pick(random, models), models) : mutantOf(kind);
    const before = performance.now();
    buffers = process.memoryUsage().arrayBuffers;
    try {
      await (isModel ? model(input) : archive(input, index, kind >= 20));
    } catch (error) {
      fail(input, index, (error as Error)?.stack ?? String(error));
    }
    const now = performance.now();
    slowest = Math.max(slowest, now - before);
    if (now - before > MOST_MILLISECONDS) fail(input, index, `it took ${Math.round(now - before)} ms`);
    const grown = process.memoryUsage().arrayBuffers - buffers;
    allocated = Math.max(allocated, grown);
    if (grown > MOST_ALLOCATED_BYTES) fail(input, index, `buffers grew by ${grown} bytes`);
    if (decoder.arena.byteLength > MOST_WASM_BYTES) {
      fail(input, index, `the decoder's memory grew to ${decoder.arena.byteLength} bytes`);
      return result(index + 1); // it never shrinks
    }
    if (index === Math.min(WARM_INPUTS, inputs - 1)) warm = process.memoryUsage.rss();
    if (now - told < PROGRESS_MILLISECONDS && index + 1 < inputs) continue;
    told = now;
    const rss = process.memoryUsage.rss();
    if (warm > 0 && rss - warm > MOST_GROWTH_BYTES) {
      fail(input, index, `the process grew from ${warm} to ${rss} bytes`);
      return result(index + 1);
    }
    const rate = Math.round((1000 * (index + 1)) / (now - started));
    progress?.(
      `${index + 1} of ${inputs}, ${rate} a second: ${accepted} accepted, ${compared} compared, slowest ${slowest.toFixed(1)} ms, ${Math.round(rss / 2 ** 20)} MiB`,
    );
  }
  return result(inputs);

  function result(tried: number): FuzzResult {
    return {
      ...{ inputs: tried, failures, accepted, compared, restored, refused, slowestMilliseconds: slowest },
      ...{ wasmBytes: decoder.arena.byteLength, allocatedBytes: allocated },
    };
  }

  function mutantOf(kind: number): Uint8Array {
    if (kind < 10) return aroundRecord(random, pick(random, pieces), records);
    if (kind < 14) return aroundHeader(random, pick(random, archives), archives);
    if (kind >= 20) return aroundShell(random, pick(random, shells), shells);
    const mutant = mutated(random, pick(random, archives), archives);
    return kind < 18 ? reseal(mutant) : mutant;
  }
}

function sizeOf(tensors: readonly Tensor[]): number {
  return tensors.reduce((sum, { data }) => sum + data.length, 0);
}

function checkBytes(what: string, bytes: number, most: number): void {
  if (bytes > most) throw new Error(`its ${what} have ${bytes} bytes, more than ${most}`);
}

/** What decoding from a stream comes to. */
async function streamed(core: Core, input: Uint8Array): Promise<string> {
  const tensors: Tensor[] = [];
  try {
    for await (const tensor of decodeStreamWith(core, chunked(input, CHUNK_BYTES), CEILING)) tensors.push(tensor);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return summary({ error, tensors: [] });
  }
  return summary({ error: undefined, tensors });
}

function pick<T>(random: Random, list: readonly T[]): T {
  return list[random.below(list.length)];
}
