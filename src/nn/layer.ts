import type { Ptr } from "../kernels/arena.js";
import type { Engine } from "../kernels/engine.js";
import type { Constraint } from "./constraint.js";

/** A tensor of a network, F32, in the network's memory. */
export interface Values {
  readonly name: string;
  readonly shape: readonly number[];
  readonly count: number;
  readonly values: Ptr;
}

/** A tensor that training changes by its gradient, f32[count]. */
export interface Parameter extends Values {
  readonly gradient: Ptr;
  /** Weight decay is for weights, not for biases. */
  readonly decays: boolean;
  /** By what the learning rate is multiplied; 1 unless given. */
  readonly rate?: number;
  /** What holds of it through training. */
  constraint?: Constraint;
}

/** A pass of training. */
export interface Pass {
  /** u32: what is left to chance depends on it, and on nothing else that changes. */
  readonly key: number;
  /** The place in the batch of the first row that passes. */
  readonly firstRow: number;
}

/** A layer at work. What it allocates in a pass lies in the scope that its caller opened. */
export interface Layer {
  readonly parameters: readonly Parameter[];
  /** What training changes otherwise, and evaluation needs. */
  readonly statistics?: readonly Values[];
  /** The outputs f32[rows][out] for inputs f32[rows][in], which it may overwrite; `pass` is left out where nothing is trained. */
  forward(inputs: Ptr, rows: number, pass?: Pass): Ptr;
  /**
   * The gradients of the parameters, and of the inputs where they are `wanted`, from what the last `forward` took and gave and the gradient of the
   * latter, which it may overwrite. What is not wanted comes as any address.
   */
  backward(inputs: Ptr, outputs: Ptr, gradient: Ptr, rows: number, wanted: boolean): Ptr;
  /** Takes what the last pass of training found into the statistics. */
  settle?(): void;
}

/** A tensor whose elements are all `value`. */
export function createValues(engine: Engine, name: string, shape: readonly number[], value: number): Values {
  const count = shape.reduce((product, axis) => product * axis, 1);
  const ptr = engine.arena.alloc(4 * count);
  engine.arena.f32(ptr, count).fill(value);
  return { name, shape, count, values: ptr };
}

/** A parameter whose elements are all `value`. */
export function createParameter(engine: Engine, name: string, shape: readonly number[], value = 0): Parameter {
  const gradient = createValues(engine, name, shape, 0).values;
  return { ...createValues(engine, name, shape, value), gradient, decays: shape.length > 1 };
}

/** He's initialisation for ReLU: uniform within sqrt(6 / fanIn). A square root is all it takes, so all machines agree on it. */
export function initialise(engine: Engine, { values, count }: Parameter, fanIn: number, random: () => number): void {
  const limit = Math.sqrt(6 / fanIn);
  const elements = engine.arena.f32(values, count);
  for (let i = 0; i < count; i++) elements[i] = (2 * random() - 1) * limit;
}
