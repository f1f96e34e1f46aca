import { checkInteger, checkNumber } from "../check.js";
import { type Evaluation, type Samples, Sequential } from "./sequential.js";
import type { StepReport } from "./train.js";

/** Sparsity that grows over steps of training: fast at first, while there is much that is not needed. */
export interface GradualPruning {
  /** Sparsity at `begin`, 0 to 1; 0 unless given. */
  readonly from?: number;
  /** Sparsity from `end` on, `from` to 1. */
  readonly to: number;
  /** Steps done when pruning begins; 0 unless given. */
  readonly begin?: number;
  /** Steps done when `to` is reached; `begin` or later. */
  readonly end: number;
  /** Steps from one mask to the next, in which the rest recovers; 1 unless given. */
  readonly every?: number;
}

/** @throws TypeError or RangeError naming the field that is amiss */
export function checkGradual(schedule: GradualPruning, title: string): Required<GradualPruning> {
  const { from = 0, to, begin = 0, end, every = 1 } = schedule;
  checkNumber(from, `${title}.from`, 0, 1);
  checkNumber(to, `${title}.to`, from, 1);
  checkInteger(begin, `${title}.begin`, 0, Number.MAX_SAFE_INTEGER);
  checkInteger(end, `${title}.end`, begin, Number.MAX_SAFE_INTEGER);
  checkInteger(every, `${title}.every`, 1, Number.MAX_SAFE_INTEGER);
  return { from, to, begin, end, every };
}

/** The cubic schedule of Zhu and Gupta 2017. */
export function sparsityAt({ from, to, begin, end }: Required<GradualPruning>, step: number): number {
  if (step >= end) return to;
  const left = 1 - Math.max(0, step - begin) / (end - begin);
  return to + (from - to) * left * left * left;
}

/** Whether masks are to be made anew after `step` steps. */
export function isDue({ begin, end, every }: Required<GradualPruning>, step: number): boolean {
  return step === end || (step >= begin && step < end && (step - begin) % every === 0);
}

/**
 * The sparsity after `step` steps: to + (from - to) (1 - (step - begin) / (end - begin))^3.
 *
 * @throws TypeError or RangeError naming the field that is amiss
 */
export function cubicSparsity(schedule: GradualPruning, step: number): number {
  return sparsityAt(checkGradual(schedule, "schedule"), step);
}

/**
 * What prunes tensors of a network in the course of its training: give it to `train` as `onStep`. Each mask keeps the weights of the largest magnitudes; what was pruned is 0, so it stays pruned.
 *
 * @param schedules by the names of the tensors
 * @throws TypeError or RangeError naming the field that is amiss, or the tensor that there is not
 */
export function pruneGradually(
  network: Sequential,
  schedules: Readonly<Record<string, GradualPruning>>,
): (report: Pick<StepReport, "step">) => void {
  const plans = Object.entries(schedules).map(([name, schedule]) => {
    network.density(name);
    return { name, plan: checkGradual(schedule, name) };
  });
  return ({ step }) => {
    for (const { name, plan } of plans) {
      if (isDue(plan, step)) network.mask(name, { sparsity: sparsityAt(plan, step) });
    }
  };
}

/** What is left of a network where one of its tensors is pruned so far, without retraining. */
export interface SensitivityPoint extends Evaluation {
  /** What was asked for. */
  readonly sparsity: number;
  /** What is left of the tensor. */
  readonly density: number;
}

/** How much a network needs one of its tensors. */
export interface Sensitivity {
  readonly name: string;
  readonly points: readonly SensitivityPoint[];
}

/** What is pruned, and how far. */
interface SensitivityOptions {
  /** Tensors; those of two axes or more unless given. */
  readonly names?: readonly string[];
  /** 0 to 1; nine from 0 to 0.95 unless given. */
  readonly sparsities?: readonly number[];
}

const DEFAULT_SPARSITIES: readonly number[] = [0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95];

/**
 * How well a network does on held-out samples where one tensor after the other is pruned, by magnitude and without retraining. The network itself stays as it is.
 *
 * @throws as `Sequential.mask` and `Sequential.evaluate` do
 */
export function sensitivity(network: Sequential, heldOut: Samples, options: SensitivityOptions = {}): Sensitivity[] {
  const steps = sensitivitySteps(network, heldOut, options);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** `sensitivity`, which gives way after each point: for programs that have other things to do meanwhile. */
export function* sensitivitySteps(
  network: Sequential,
  heldOut: Samples,
  options: SensitivityOptions = {},
): Generator<void, Sensitivity[], undefined> {
  const tensors = network.tensors();
  const names = options.names ?? tensors.filter(({ shape }) => shape.length >= 2).map(({ name }) => name);
  const copy = new Sequential(network.toJSON(), { variant: network.variant });
  const found: Sensitivity[] = [];
  for (const name of names) {
    const points: SensitivityPoint[] = [];
    for (const sparsity of options.sparsities ?? DEFAULT_SPARSITIES) {
      copy.load(tensors);
      copy.mask(name, { sparsity });
      points.push({ sparsity, density: copy.density(name), ...copy.evaluate(heldOut) });
      yield;
    }
    found.push({ name, points });
  }
  return found;
}
