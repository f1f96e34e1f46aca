import { checkInteger } from "../check.js";
import type { Tensor } from "../types.js";
import { checkGradual, type GradualPruning, isDue, sparsityAt } from "./prune-schedule.js";
import type { Sequential } from "./sequential.js";
import type { StepReport } from "./train.js";

/** Tensors that are pruned together, by what each weight is worth to the loss. */
export interface SaliencyPruning extends GradualPruning {
  /** Tensors of the network; `to` is the sparsity of all of them together. */
  readonly names: readonly string[];
  /**
   * How much a weight's place in the archive counts: its worth is divided by this power of the bits that it takes, 0 to 4. Rows and columns with few survivors make positions
   * dear, so that they are given up, and what is left is dense in few places. 0 unless given.
   */
  readonly rate?: number;
}

const MOST_RATE = 4;

/** Of a code, about; what positions take comes on top. */
const CODE_BITS = 3;

/** A weight is never thought to be surer than that. */
const MOST_CHANCE = 0.9;

/** What the other survivors of a row or a column let expect where there are none. */
const LEAST_EXPECTED = 0.3;

interface Scored {
  readonly name: string;
  /** Of each weight, above 0 for survivors alone. */
  readonly scores: Float64Array;
}

/**
 * What prunes tensors together in the course of a training with Adam: give it to `train` as `onStep`. A weight w is worth w^2 sqrt(v), v the mean square of its gradient that Adam keeps: about what the
 * loss would grow by without it, in all tensors on the same scale, so that no sparsity has to be chosen for each.
 *
 * @throws TypeError or RangeError naming the field that is amiss, or the tensor that there is not; from within the training, where its optimizer is not Adam
 */
export function pruneBySaliency(network: Sequential, plans: readonly SaliencyPruning[]): (report: Pick<StepReport, "step">) => void {
  const checked = plans.map((plan, i) => {
    const { names, rate = 0 } = plan;
    for (const name of names) network.density(name);
    checkInteger(rate, `plans[${i}].rate`, 0, MOST_RATE);
    return { names, rate, schedule: checkGradual(plan, `plans[${i}]`) };
  });
  return ({ step }) => {
    const due = checked.filter(({ schedule }) => isDue(schedule, step));
    if (due.length === 0) return;
    const tensors = new Map(network.tensors().map((tensor) => [tensor.name, tensor]));
    const kept = new Map(network.optimizerTensors().map((tensor) => [tensor.name, tensor]));
    for (const { names, rate, schedule } of due) {
      const scored = names.map((name) => {
        const square = kept.get(`${name}.square`);
        if (square === undefined) throw new RangeError("the optimizer must be adam where weights are pruned by what they are worth");
        return { name, scores: scoresOf(tensors.get(name)!, valuesOf(square), rate) };
      });
      keepBest(network, scored, sparsityAt(schedule, step));
    }
  };
}

function valuesOf({ data }: Tensor): Float32Array {
  return new Float32Array(data.buffer, data.byteOffset, data.length / 4);
}

function scoresOf(tensor: Tensor, square: Float32Array, rate: number): Float64Array {
  const weights = valuesOf(tensor);
  const bits = rate === 0 ? undefined : bitsOf(weights, tensor.shape);
  return Float64Array.from(weights, (weight, i) => {
    if (weight === 0) return 0;
    let score = weight * weight * Math.sqrt(square[i]);
    for (let power = 0; power < rate; power++) score /= bits!(i);
    return Math.max(score, Number.MIN_VALUE);
  });
}

/** About what a survivor takes in an archive: positions by the survivors of its row (the first axis) and its column (all others), itself left out. */
function bitsOf(weights: Float32Array, shape: readonly number[]): (i: number) => number {
  const columns = shape.length > 1 ? weights.length / shape[0] : weights.length;
  const inRow = new Uint32Array(weights.length / columns);
  const inColumn = new Uint32Array(columns);
  let survivors = 0;
  for (const [i, weight] of weights.entries()) {
    if (weight === 0) continue;
    inRow[Math.floor(i / columns)]++;
    inColumn[i % columns]++;
    survivors++;
  }
  const expected = (count: number): number => Math.max(count - 1, LEAST_EXPECTED);
  return (i) => {
    const chance =
      inRow.length === 1 ? survivors / columns : (expected(inRow[Math.floor(i / columns)]) * expected(inColumn[i % columns])) / survivors;
    return CODE_BITS - log2(Math.min(MOST_CHANCE, chance));
  };
}

/** From basic operations, so that all machines agree on it; of a number above 0, to seven digits. */
function log2(x: number): number {
  let exponent = 0;
  let rest = x;
  for (; rest < 1; rest *= 2) exponent--;
  for (; rest >= 2; rest /= 2) exponent++;
  const t = (rest - 1) / (rest + 1);
  let sum = 0;
  for (let i = 13; i > 0; i -= 2) sum = sum * t * t + 1 / i;
  return exponent + (2 * t * sum) / Math.LN2;
}

/** Masks that keep the weights of the highest scores, the first of equals, and no weight that has none. */
function keepBest(network: Sequential, scored: readonly Scored[], sparsity: number): void {
  const count = scored.reduce((sum, { scores }) => sum + scores.length, 0);
  const ranked = new Float64Array(count);
  let at = 0;
  for (const { scores } of scored) {
    ranked.set(scores, at);
    at += scores.length;
  }
  ranked.sort();
  const survivors = Math.round((1 - sparsity) * count);
  const least = survivors === 0 ? Infinity : Math.max(ranked[count - survivors], Number.MIN_VALUE);
  let equals = survivors;
  for (let i = count - 1; i >= 0 && ranked[i] > least; i--) equals--;
  for (const { name, scores } of scored) {
    network.mask(
      name,
      Uint8Array.from(scores, (score) => (score > least || (score === least && equals-- > 0) ? 1 : 0)),
    );
  }
}
