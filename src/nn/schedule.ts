import { checkInteger, checkNumber, checkOneOf } from "../check.js";

/**
 * How the learning rate changes over the training.
 *
 * - `constant`  not at all
 * - `step`      times `factor` after every `every` epochs
 * - `cosine`    from 1 down to `floor` (0 unless given) times it, along half a cosine, step by step
 */
export type Schedule =
  | { readonly type: "constant" }
  | { readonly type: "step"; readonly every: number; readonly factor: number }
  | { readonly type: "cosine"; readonly floor?: number };

/** @throws TypeError or RangeError naming the field that is amiss */
export function checkSchedule(schedule: Schedule): void {
  checkOneOf(schedule?.type, "schedule.type", ["constant", "step", "cosine"]);
  if (schedule.type === "step") {
    checkInteger(schedule.every, "schedule.every", 1, Number.MAX_SAFE_INTEGER);
    checkNumber(schedule.factor, "schedule.factor", 0, Number.MAX_VALUE);
  }
  if (schedule.type === "cosine") checkNumber(schedule.floor ?? 0, "schedule.floor", 0, 1);
}

/** cos(pi x) for x in [0, 1] from basic operations, so that all machines agree on it: Math.cos may differ in its last bit. */
function cosPi(x: number): number {
  const angle = Math.PI * (0.5 - x);
  const square = angle * angle;
  let sum = 1;
  for (let i = 22; i > 0; i -= 2) sum = 1 - (sum * square) / (i * (i + 1));
  return angle * sum;
}

/** By what the learning rate is multiplied in step `step` of `steps`, of which each epoch has `stepsPerEpoch`. */
export function scheduleFactor(schedule: Schedule, step: number, steps: number, stepsPerEpoch: number): number {
  if (schedule.type === "constant") return 1;
  if (schedule.type === "step") {
    let factor = 1;
    for (let passed = schedule.every * stepsPerEpoch; passed <= step; passed += schedule.every * stepsPerEpoch) factor *= schedule.factor;
    return factor;
  }
  const floor = schedule.floor ?? 0;
  return floor + (1 - floor) * 0.5 * (1 + cosPi(step / steps));
}
