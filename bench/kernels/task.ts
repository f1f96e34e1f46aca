import type { Ptr } from "../../src/kernels/arena.js";
import type { Engine } from "../../src/kernels/engine.js";

// What is measured: one kernel on one input, in four forms. Nothing here knows of Node, so that a page can run it.

/** One form of a kernel, its inputs in place. */
export interface Runnable {
  /** Does the work once; again gives the same. */
  run(): void;
  /** What the last run gave: every form must give the same bytes. */
  outputs(): readonly ArrayBufferView[];
}

/** A form in JavaScript. */
export interface JavaScriptRunnable extends Runnable {
  /** The same code on a short input. */
  rehearse(): void;
}

/** Units of a short input. */
export const SHORT = 1000;

export function rehearsed(whole: Runnable, short: Runnable): JavaScriptRunnable {
  return { ...whole, rehearse: () => short.run() };
}

/** A rehearsal has so many calls and takes so long, by when V8 has compiled functions from their first line to their last; or the most. */
const REHEARSAL_CALLS = 100;
const REHEARSAL_MS = 60;
const MOST_REHEARSAL_MS = 600;

/**
 * Runs a form on its short input, again and again. A function that V8 first meets in a loop of a million steps is compiled from within that loop, before what follows has run; by luck of timing it stays so,
 * with sums in boxes on the heap: `statistics` takes five times as long then, and ten.
 */
export function rehearse(runnable: JavaScriptRunnable): void {
  const start = performance.now();
  for (let calls = 0, spent = 0; spent < MOST_REHEARSAL_MS && (calls < REHEARSAL_CALLS || spent < REHEARSAL_MS); calls++) {
    runnable.rehearse();
    spent = performance.now() - start;
  }
}

/** Milliseconds of `calls` runs. */
export function timed(runnable: Runnable, calls: number): number {
  const start = performance.now();
  for (let i = 0; i < calls; i++) runnable.run();
  return performance.now() - start;
}

/** What a program of bench/native is given. */
export interface NativeSpec {
  /** As bench/native names it. */
  readonly kernel: string;
  readonly numbers: readonly number[];
  readonly inputs: readonly ArrayBufferView[];
}

export interface PreparedTask {
  /** Things that a run works on. */
  readonly count: number;
  /** Bytes that a run reads and writes, each once. */
  readonly bytes: number;
  readonly js: JavaScriptRunnable;
  readonly wasm: (engine: Engine) => Runnable;
  readonly native: NativeSpec;
  /** Another way to the same end in plain JavaScript, where there is one worth comparing with: its bits are its own. */
  readonly other?: {
    readonly name: string;
    readonly runnable: JavaScriptRunnable;
    readonly note: (outputs: readonly ArrayBufferView[]) => string;
  };
}

export interface Task {
  /** What `coppice bench NAME` selects by a part of it. */
  readonly name: string;
  /** What the input is. */
  readonly input: string;
  readonly unit: "symbols" | "weights" | "survivors" | "bytes" | "multiply-adds";
  prepare(): PreparedTask;
}

/** Lends a kernel a copy of `array`, for as long as its engine lives. */
export function place({ arena }: Engine, array: ArrayBufferView): Ptr {
  const ptr = arena.alloc(array.byteLength);
  arena.u8(ptr, array.byteLength).set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
  return ptr;
}

/** Memory for a result, written once: what was never touched would be measured at its first touch. */
export function room({ arena }: Engine, byteLength: number): Ptr {
  const ptr = arena.alloc(byteLength);
  arena.u8(ptr, byteLength).fill(1);
  return ptr;
}

/** The bits of float32 values. */
export function bitsOf(values: Float32Array): Int32Array {
  return new Int32Array(values.buffer, values.byteOffset, values.length);
}

/** FNV-1a of the bytes of all arrays, and of their lengths. */
export function digest(arrays: readonly ArrayBufferView[]): string {
  let hash = 0x811c9dc5;
  for (const array of arrays) {
    for (let rest = array.byteLength; rest > 0; rest >>>= 8) hash = Math.imul(hash ^ (rest & 255), 0x01000193);
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i], 0x01000193);
  }
  return (hash >>> 0).toString(16).padStart(8, "0");
}
