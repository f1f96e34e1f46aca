import { decodeWith } from "../../src/decode/decode.js";
import { FormatError } from "../../src/errors.js";
import { bytesSource, openModel } from "../../src/formats/index.js";
import { decompress } from "../../src/index.js";
import { loadDecoder } from "../../src/kernels/decoder.js";
import { decodeKernelsOf } from "../../src/kernels/decoder-kernels.js";
import { referenceDecodeKernels } from "../../src/reference/index.js";
import { tensorByteLength } from "../../src/types.js";
import { outcomeOf, summary } from "../archive/outcome.js";
import { reseal } from "../archive/reseal.js";
import { Random } from "../random.js";
import type { Corpus } from "./corpus.js";
import { aroundHeader, aroundRecord, mutated } from "./mutate.js";

// What it promises, and docs/fuzzing.md explains: only FormatErrors come out, in bounded time and memory, and the decoders agree.

/** No input may take longer. They are a few kilobytes, and what they ask for is held to `MOST_OUTPUT_BYTES`. */
export const MOST_MILLISECONDS = 2000;

/** Ceiling for what an archive may decode to. */
export const MOST_OUTPUT_BYTES: number = 1 << 20;

/** What the decoder's memory may grow to: a block of 2^20 one-byte elements, its symbols, gaps and tables take less. */
export const MOST_WASM_BYTES: number = 32 << 20;

/** What the process may grow by once it is warm. */
export const MOST_GROWTH_BYTES: number = 768 << 20;

/** Every so many inputs the reference decodes too. */
const REFERENCE_EVERY = 16;
/** Every so many accepted archives their files are asked for too. */
const FILES_EVERY = 8;
const PROGRESS_MILLISECONDS = 5000;
const WARM_INPUTS = 20_000;

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
  /** Refusals by code. */
  readonly refused: Readonly<Record<string, number>>;
  readonly slowestMilliseconds: number;
  readonly wasmBytes: number;
}

/** Makes and tries inputs; the same seed gives the same ones. */
export async function fuzz({ archives, pieces, models }: Corpus, options: FuzzOptions): Promise<FuzzResult> {
  const { inputs, seed, progress, onFailure } = options;
  const random = new Random(seed);
  const decoder = loadDecoder();
  const kernels = decodeKernelsOf(decoder);
  const records = pieces.map(({ record }) => record);
  const refused: Record<string, number> = {};
  const started = performance.now();
  let [failures, accepted, compared, slowest, told, warm] = [0, 0, 0, 0, started, 0];

  const fail = (input: Uint8Array, index: number, what: string): void => {
    failures++;
    progress?.(`input ${index} (seed ${seed}): ${what}`);
    onFailure?.(input, `${seed}-${index}`);
  };
  const note = (error: unknown): void => {
    if (!(error instanceof FormatError)) throw error;
    refused[error.code] = (refused[error.code] ?? 0) + 1;
  };

  const archive = async (input: Uint8Array, index: number): Promise<void> => {
    let taken = false;
    try {
      decodeWith(kernels, input, { maxBytes: MOST_OUTPUT_BYTES });
      taken = true;
      accepted++;
    } catch (error) {
      note(error);
    }
    if (index % REFERENCE_EVERY === 0) {
      const ceiling = { maxBytes: MOST_OUTPUT_BYTES };
      compared++;
      if (summary(outcomeOf(kernels, input, ceiling)) !== summary(outcomeOf(referenceDecodeKernels, input, ceiling))) {
        throw new Error("the reference decodes it to something else");
      }
    }
    if (taken && accepted % FILES_EVERY === 0) await decompress(input, { maxBytes: MOST_OUTPUT_BYTES }).catch(note);
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
    const kind = random.below(20);
    const isModel = kind < 4;
    const input = isModel ? mutated(random, pick(random, models), models) : mutantOf(kind);
    const before = performance.now();
    try {
      await (isModel ? model(input) : archive(input, index));
    } catch (error) {
      fail(input, index, (error as Error)?.stack ?? String(error));
    }
    const now = performance.now();
    slowest = Math.max(slowest, now - before);
    if (now - before > MOST_MILLISECONDS) fail(input, index, `it took ${Math.round(now - before)} ms`);
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
    return { inputs: tried, failures, accepted, compared, refused, slowestMilliseconds: slowest, wasmBytes: decoder.arena.byteLength };
  }

  function mutantOf(kind: number): Uint8Array {
    if (kind < 10) return aroundRecord(random, pick(random, pieces), records);
    if (kind < 14) return aroundHeader(random, pick(random, archives), archives);
    const mutant = mutated(random, pick(random, archives), archives);
    return kind < 18 ? reseal(mutant) : mutant;
  }
}

function pick<T>(random: Random, list: readonly T[]): T {
  return list[random.below(list.length)];
}
