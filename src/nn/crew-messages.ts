import type { MessagePort } from "node:worker_threads";
import type { Variant } from "../kernels/variant.js";
import type { NetworkSpec } from "../network/spec.js";
import type { Share } from "./network.js";

// What goes between the threads that train a network.

/** What a thread starts with. */
export interface CrewData {
  readonly module: WebAssembly.Module;
  readonly variant: Variant;
  readonly spec: NetworkSpec;
  readonly port: MessagePort;
  /** i32[2]: orders given, answers given. */
  readonly control: Int32Array;
  /** Shared: all parameters, one after the other, as they are when an order is given. */
  readonly parameters: Float32Array;
  /** Shared: where the thread leaves its gradients, in the same order. */
  readonly gradient: Float32Array;
}

/** What a thread is to take. */
export type CrewOrder = Share;

/** Its answer; the first says that it has started. */
export interface CrewResult {
  /** The sum of the losses of its share. */
  readonly loss: number;
  /** What went wrong. */
  readonly failure?: string;
}
