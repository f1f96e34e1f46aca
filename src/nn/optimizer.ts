import { checkNumber, checkOneOf, LEAST_FLOAT32, MOST_FLOAT32 } from "../check.js";
import type { SgdStep } from "../kernel-types.js";
import type { Ptr } from "../kernels/arena.js";
import type { Engine } from "../kernels/engine.js";
import { adamNumbers } from "../kernels/nn.js";
import type { Tensor } from "../types.js";
import type { Parameter } from "./layer.js";
import { bytesOfTensors, type Wanted } from "./tensors.js";

/** A step of stochastic gradient descent with momentum. */
export interface SgdOptions extends SgdStep {
  /** Unless another type is given. */
  readonly type?: "sgd";
}

/** A step of Adam (Kingma and Ba 2015). */
export interface AdamOptions {
  readonly type: "adam";
  /** 0 or more. */
  readonly learningRate: number;
  /** What of the mean gradient stays in a step: 0.9 unless given. */
  readonly beta1?: number;
  /** What of the mean square stays: 0.999 unless given. */
  readonly beta2?: number;
  /** Added to the root of the mean square, 2^-126 or more: 1e-8 unless given. */
  readonly epsilon?: number;
  /** Times a weight, added to its gradient; 0 unless given. */
  readonly weightDecay?: number;
  /** The decay, times the learning rate, shrinks the weight instead (AdamW); false unless given. */
  readonly decoupled?: boolean;
}

/** How parameters follow their gradients in a step. */
export type StepOptions = SgdOptions | AdamOptions;

/** The same for all steps of a training, whose schedule has the learning rate; of SGD, momentum is 0.9 and weight decay 0 unless given. */
export type OptimizerOptions =
  | ({ readonly type: "sgd" } & Partial<Omit<SgdOptions, "type" | "learningRate">>)
  | Omit<AdamOptions, "learningRate">;

type OptimizerType = NonNullable<StepOptions["type"]>;

/** What is kept of each parameter, f32 as the parameter is, by what its tensor's name ends in. */
const KEPT: Readonly<Record<OptimizerType, readonly string[]>> = { sgd: ["velocity"], adam: ["mean", "square"] };

const TYPES = Object.keys(KEPT) as OptimizerType[];

/** The tensor that counts the steps. */
const STEPS = "steps";

/** Products of a beta this close to 1 would not leave a moment. */
const MOST_BETA = 1 - 2 ** -24;

/** @throws TypeError or RangeError naming the number that is out of range */
export function checkStep(how: StepOptions): void {
  checkOneOf(how.type ?? "sgd", "type", TYPES);
  checkNumber(how.learningRate, "learningRate", 0, MOST_FLOAT32);
  checkNumber(how.weightDecay ?? 0, "weightDecay", 0, MOST_FLOAT32);
  if (how.type !== "adam") {
    checkNumber(how.momentum, "momentum", 0, 1);
    return;
  }
  checkNumber(how.beta1 ?? 0, "beta1", 0, MOST_BETA);
  checkNumber(how.beta2 ?? 0, "beta2", 0, MOST_BETA);
  checkNumber(how.epsilon ?? 1, "epsilon", LEAST_FLOAT32, MOST_FLOAT32);
  if (how.decoupled !== undefined && typeof how.decoupled !== "boolean") throw new TypeError("decoupled must be true or false");
}

/** Moves parameters by their gradients, and keeps what it needs from step to step. */
export class Optimizer {
  readonly #engine: Engine;
  readonly #parameters: readonly Parameter[];
  /** What is kept of each parameter; kept in memory once it was needed. */
  readonly #slots: Ptr[][];
  #type: OptimizerType = "sgd";
  #steps = 0;

  constructor(engine: Engine, parameters: readonly Parameter[]) {
    this.#engine = engine;
    this.#parameters = parameters;
    this.#slots = parameters.map(() => []);
  }

  /** Steps done since the last `reset`. */
  get steps(): number {
    return this.#steps;
  }

  /** Makes ready for steps of a type, outside of any scope of the arena: forgets what another type kept. */
  prepare(type: OptimizerType = "sgd"): void {
    if (type !== this.#type) this.reset();
    this.#type = type;
    const { arena } = this.#engine;
    for (const [i, { count }] of this.#parameters.entries()) {
      while (this.#slots[i].length < KEPT[type].length) {
        const ptr = arena.alloc(4 * count);
        arena.f32(ptr, count).fill(0);
        this.#slots[i].push(ptr);
      }
    }
  }

  /** Forgets all that was kept. */
  reset(): void {
    this.#steps = 0;
    for (const [i, { count }] of this.#parameters.entries()) {
      for (const ptr of this.#slots[i]) this.#engine.arena.f32(ptr, count).fill(0);
    }
  }

  /** Forgets what was kept of a parameter: of all its elements, or of those for which a mask u8[count] has 0. */
  forget(parameter: Parameter, mask?: Ptr): void {
    const { arena, exports } = this.#engine;
    for (const ptr of this.#slots[this.#parameters.indexOf(parameter)]) {
      if (mask === undefined) arena.f32(ptr, parameter.count).fill(0);
      else exports.maskValues(ptr, mask, parameter.count);
    }
  }

  /** One step of the type that was prepared for; `how` has been checked. */
  step(how: StepOptions): void {
    this.#steps++;
    for (const [i, parameter] of this.#parameters.entries()) {
      const { constraint } = parameter;
      this.#move(constraint?.before() ?? parameter, this.#slots[i], how);
      constraint?.after();
    }
  }

  /** Of a parameter that is shared, `values` are its centroids, of which the slots have room for more than there are. */
  #move({ values, gradient, count, decays, rate = 1 }: Parameter, slots: readonly Ptr[], how: StepOptions): void {
    const { exports } = this.#engine;
    const learningRate = rate * how.learningRate;
    const weightDecay = decays ? (how.weightDecay ?? 0) : 0;
    if (how.type !== "adam") {
      exports.sgdStep(values, gradient, slots[0], count, learningRate, how.momentum, weightDecay);
      return;
    }
    const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, decoupled = false } = how;
    const numbers = adamNumbers({ learningRate, beta1, beta2, epsilon, weightDecay, decoupled, step: this.#steps });
    exports.adamStep(values, gradient, slots[0], slots[1], count, ...numbers);
  }

  /** A copy of what is kept: `PARAMETER.velocity`, or `PARAMETER.mean` and `PARAMETER.square`, F32, and `steps`, F64 [1]. */
  tensors(): Tensor[] {
    const steps: Tensor = { name: STEPS, dtype: "F64", shape: [1], data: new Uint8Array(Float64Array.of(this.#steps).buffer) };
    const kept = this.#wanted(this.#type).map(({ wanted, ptr }) => ({
      ...wanted,
      data: ptr === undefined ? new Uint8Array(wanted.byteLength) : this.#engine.arena.u8(ptr, wanted.byteLength).slice(),
    }));
    return [steps, ...kept.map(({ name, dtype, shape, data }) => ({ name, dtype, shape, data }))];
  }

  /**
   * Takes over what `tensors` gave. Either all tensors are taken or none.
   *
   * @throws RangeError naming the tensor that is amiss
   */
  load(tensors: readonly Tensor[]): void {
    const type = tensors.some(({ name }) => name.endsWith(`.${KEPT.adam[0]}`)) ? "adam" : "sgd";
    const steps: Wanted = { name: STEPS, dtype: "F64", shape: [1], byteLength: 8 };
    const wanted = this.#wanted(type).map((kept) => kept.wanted);
    const [stepBytes, ...kept] = bytesOfTensors(tensors, [steps, ...wanted], "optimizer of this network");
    const count = new DataView(stepBytes.buffer, stepBytes.byteOffset).getFloat64(0, true);
    if (!Number.isSafeInteger(count) || count < 0) throw new RangeError(`tensor ${STEPS} must hold a count, got ${count}`);
    this.prepare(type);
    for (const [i, { ptr }] of this.#wanted(type).entries()) this.#engine.arena.u8(ptr!, kept[i].length).set(kept[i]);
    this.#steps = count;
  }

  #wanted(type: OptimizerType): { wanted: Wanted; ptr: Ptr | undefined }[] {
    return this.#parameters.flatMap(({ name, shape, count }, i) =>
      KEPT[type].map((kept, slot) => ({
        wanted: { name: `${name}.${kept}`, dtype: "F32", shape, byteLength: 4 * count },
        ptr: this.#slots[i][slot],
      })),
    );
  }
}
