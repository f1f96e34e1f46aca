import type { Variant } from "../kernels/variant.js";
import type { ShareOptions } from "./share.js";
import type { Part } from "./split.js";

// What goes between the threads of a layer.

// Places in `control`: orders given, answers given, what is ordered, whether a share failed; and behind them, for each thread, the pages of its kernels' memory.
export const ORDERS = 0;
export const ANSWERS = 1;
export const COUNT = 2;
export const FAILED = 3;
export const PAGES = 4;

/** What is ordered besides a batch of so many vectors: one by itself, and the end. */
export const ONE = 0;
export const END = -1;

export const PAGE_BYTES = 65536;

/** How long a thread turns in wait for the next order, or an answer: several times as long as waking one that sleeps takes. */
export const TURN_MS = 1;

/** What a thread starts with. */
export interface CrewStart extends ShareOptions {
  readonly module: WebAssembly.Module;
  readonly variant: Variant;
  readonly part: Part;
  /** The first of its rows in the layer, and which of the threads it is. */
  readonly first: number;
  readonly index: number;
  readonly control: Int32Array;
  /** Shared: f32[TILE][inputs], f32[TILE][outputs]. */
  readonly x: Float32Array;
  readonly y: Float32Array;
  readonly outputs: number;
}

/** The one message that comes from it. */
export type CrewReady = { readonly survivors: number } | { readonly failure: string };
