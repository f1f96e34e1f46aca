import type { Header } from "../../src/archive/header.js";
import { readShell, writeShell } from "../../src/archive/shell.js";
import * as edge from "../../src/decode/index.js";
import { FormatError } from "../../src/errors.js";
import { bytesSource, openModel } from "../../src/formats/index.js";
import { decompress } from "../../src/index.js";
import * as reference from "../../src/reference/index.js";
import { type FileTemplate, type Tensor, type TensorInfo, tensorByteLength } from "../../src/types.js";
import { reseal } from "../archive/reseal.js";
import { came, difference, WAYS } from "../decode/ways.js";
import { Random } from "../random.js";
import { wasmBytes } from "../wasm-memories.js";
import type { Corpus } from "./corpus.js";
import { generated } from "./generate.js";
import { aroundHeader, aroundRecord, aroundShell, mutated, piecesOf } from "./mutate.js";

// What it promises, and docs/fuzzing.md explains: only FormatErrors come out, in bounded time and memory, and all ways into an archive agree.

/** No input may take longer. They are a few kilobytes, and what they ask for is held to `MOST_OUTPUT_BYTES`. */
export const MOST_MILLISECONDS = 2000;

/** Ceiling for what an archive may decode to. */
export const MOST_OUTPUT_BYTES: number = 1 << 20;

/** What the files of an archive may have in all: its tensors, one hole each, the bodies of templates, and a safetensors header of a few kilobytes. */
export const MOST_FILES_BYTES: number = 2 * MOST_OUTPUT_BYTES + (1 << 18);

/** What buffers may grow by while one input is tried: it is decoded in every way, and its files are asked for. */
export const MOST_ALLOCATED_BYTES: number = 32 << 20;

/** What the memory of the WebAssembly modules may grow by: a block of 2^20 one-byte elements, its symbols, gaps and tables take less. */
export const MOST_WASM_BYTES: number = 16 << 20;

/** What the process may grow by once it is warm. */
export const MOST_GROWTH_BYTES: number = 768 << 20;

/** Every so many accepted archives their files are asked for too. */
const FILES_EVERY = 8;
/** The kind of inputs, of 26, that are not mutants. */
const WHOLE = 24;
const PROGRESS_MILLISECONDS = 5000;
const WARM_INPUTS = 20_000;

const CEILING = { maxBytes: MOST_OUTPUT_BYTES };
/** Most bytes of a chunk, one of these for each input: chunks of one byte, and some that take in most archives whole. */
const CHUNKS = [1, 8, 100, 100, 1000, 10_000];

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
  /** Archives that were decoded in every way. */
  readonly archives: number;
  /** Archives that gave their files back. */
  readonly restored: number;
  /** Refusals by code, of archives as the reference names it. */
  readonly refused: Readonly<Record<string, number>>;
  readonly slowestMilliseconds: number;
  /** What the memory of the modules grew by. */
  readonly wasmBytes: number;
  /** Most that buffers grew by with one input. */
  readonly allocatedBytes: number;
}

function raise(message: string): never {
  throw new Error(message);
}

/** What reads archives must take the shell that is written of a model. */
function checkShell(templates: readonly FileTemplate[], tensors: readonly TensorInfo[]): void {
  const entries = tensors.map((tensor) => ({ ...tensor, byteLength: tensorByteLength(tensor.dtype, tensor.shape) }));
  try {
    const shell = writeShell(templates, tensors, (bytes) => bytes);
    readShell({ tensors: entries, shell, shellOffset: 0 } as unknown as Header);
  } catch (error) {
    throw new Error("the shell of a model is refused", { cause: error });
  }
}

/** Makes and tries inputs; the same seed gives the same ones. */
export async function fuzz({ archives, pieces, shells, models, shard }: Corpus, options: FuzzOptions): Promise<FuzzResult> {
  const { inputs, seed, progress, onFailure } = options;
  const random = new Random(seed);
  /** How archives are cut into chunks, drawn apart: the inputs depend on the seed alone. */
  const cuts = new Random(~seed);
  const records = pieces.map(({ record }) => record);
  const refused: Record<string, number> = {};
  const started = performance.now();
  const wasmBefore = wasmBytes();
  let [failures, accepted, archiveCount, restored, slowest, told, warm] = [0, 0, 0, 0, 0, started, 0];
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

  /** @param whole what the archive holds, where that is known */
  const archive = async (input: Uint8Array, always: boolean, whole?: readonly Tensor[]): Promise<void> => {
    archiveCount++;
    const expected = await came((async () => reference.decode(input, CEILING))());
    const wrong = whole && difference(expected, whole);
    if (wrong !== undefined) throw new Error(`the reference does not give what was put in: ${wrong}`);
    const sizes = sizesOf(cuts);
    for (const { name, tensors } of WAYS) {
      const differs = difference(await came(tensors(edge, input, CEILING, sizes)), expected);
      if (differs !== undefined) throw new Error(`${name}, in chunks of ${sizes}: ${differs}`);
    }
    if (expected instanceof FormatError) return note(expected);
    checkBytes("tensors", sizeOf(expected), MOST_OUTPUT_BYTES);
    accepted++;
    if (!always && accepted % FILES_EVERY !== 0) return;
    try {
      const files = await decompress(input, CEILING);
      const byteLength = files.reduce((sum, { bytes }) => sum + bytes.length, 0);
      checkBytes("files", byteLength, MOST_FILES_BYTES);
      restored++;
    } catch (error) {
      note(error);
    }
  };
  const model = async (input: Uint8Array): Promise<void> => {
    try {
      const opened = await openModel(bytesSource(input), { name: "fuzz.npy", beside: async () => bytesSource(shard) });
      for (const [i, { dtype, shape }] of opened.tensors.entries()) {
        const byteLength = tensorByteLength(dtype, shape);
        if (byteLength > 0) await opened.read(i, 0, Math.min(byteLength, MOST_OUTPUT_BYTES));
      }
      const unchanged = { exact: () => true, bytes: () => raise("an exact tensor's bytes were asked for") };
      checkShell(await opened.templates(unchanged), opened.tensors);
      await opened.close();
      accepted++;
    } catch (error) {
      note(error);
    }
  };

  for (let index = 0; index < inputs; index++) {
    const kind = random.below(26);
    const isModel = kind < 4;
    const made = kind === WHOLE ? generated(random) : undefined;
    const input = made?.archive ?? (isModel ? mutated(random, pick(random, models), models) : mutantOf(kind));
    const before = performance.now();
    buffers = process.memoryUsage().arrayBuffers;
    try {
      await (isModel ? model(input) : archive(input, kind >= 20 && kind < WHOLE, made?.tensors));
    } catch (error) {
      fail(input, index, (error as Error)?.stack ?? String(error));
    }
    const now = performance.now();
    slowest = Math.max(slowest, now - before);
    if (now - before > MOST_MILLISECONDS) fail(input, index, `it took ${Math.round(now - before)} ms`);
    const grown = process.memoryUsage().arrayBuffers - buffers;
    allocated = Math.max(allocated, grown);
    if (grown > MOST_ALLOCATED_BYTES) fail(input, index, `buffers grew by ${grown} bytes`);
    const wasmGrown = wasmBytes() - wasmBefore;
    if (wasmGrown > MOST_WASM_BYTES) {
      fail(input, index, `the memory of the modules grew by ${wasmGrown} bytes`);
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
      `${index + 1} of ${inputs}, ${rate} a second: ${archiveCount} archives, ${accepted} accepted, slowest ${slowest.toFixed(1)} ms, ${Math.round(rss / 2 ** 20)} MiB`,
    );
  }
  return result(inputs);

  function result(tried: number): FuzzResult {
    return {
      ...{ inputs: tried, failures, accepted, archives: archiveCount, restored, refused, slowestMilliseconds: slowest },
      ...{ wasmBytes: wasmBytes() - wasmBefore, allocatedBytes: allocated },
    };
  }

  function mutantOf(kind: number): Uint8Array {
    if (kind < 10) return aroundRecord(random, pick(random, pieces), records);
    if (kind < 14) return aroundHeader(random, pick(random, archives), archives);
    if (kind > WHOLE) return aroundRecord(random, pick(random, piecesOf(generated(random).archive)), records);
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

/** Bytes of chunks in turn: some may be empty, not all. */
function sizesOf(random: Random): number[] {
  const most = pick(random, CHUNKS);
  return [...Array.from({ length: random.below(4) }, () => random.below(most + 1)), 1 + random.below(most)];
}

function pick<T>(random: Random, list: readonly T[]): T {
  return list[random.below(list.length)];
}
