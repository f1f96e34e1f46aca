import { compact } from "./prune.js";
import { gapHistogram } from "./stats.js";
import { alignedLike, type Words, wordsOf, wordsPerElement } from "./words.js";

// Scans: docs/format.md, section 4.1.

type Axes = readonly [number, number, number];

const R = 0;
const C = 1;
const K = 2;

/** The axes of each scan, the slowest first. */
const SCANS: readonly (readonly [number, number, number])[] = [
  [R, C, K],
  [C, R, K],
  [R, K, C],
  [C, K, R],
  [K, R, C],
  [K, C, R],
];

/** As `EncodeKernels.scan` says. */
export function scan(elements: Uint8Array, elementBytes: number, axes: Axes, order: number): Uint8Array {
  const out = new Uint8Array(elements.length);
  const from = wordsOf(elements, elementBytes);
  const to = wordsOf(out, elementBytes);
  let at = 0;
  walk(axes, order, (place, step, count) => {
    copy(from, place, step, to, at, 1, count, wordsPerElement(elementBytes));
    at += count;
  });
  return out;
}

/** As `EncodeKernels.scanGaps` says. */
export function scanGaps(elements: Uint8Array, elementBytes: number, axes: Axes, order: number): Uint32Array {
  const { gaps, maxGap } = compact(scan(elements, elementBytes, axes, order), elementBytes);
  return gaps.length === 0 ? new Uint32Array(0) : gapHistogram(gaps, maxGap);
}

/** As `DecodeKernels.unscan` says. */
export function unscan(elements: Uint8Array, elementBytes: number, axes: Axes, order: number, out: Uint8Array): void {
  const aligned = alignedLike(out, elementBytes);
  const from = wordsOf(elements, elementBytes);
  const to = wordsOf(aligned, elementBytes);
  let at = 0;
  walk(axes, order, (place, step, count) => {
    copy(from, at, 1, to, place, step, count, wordsPerElement(elementBytes));
    at += count;
  });
  if (aligned !== out) out.set(aligned);
}

/** Visits the runs of a scan along its fastest axis: `count` elements, `step` apart in row-major order, the first at `place`. */
function walk(axes: Axes, order: number, visit: (place: number, step: number, count: number) => void): void {
  const steps = [axes[C] * axes[K], axes[K], 1];
  const [slow, middle, fast] = SCANS[order];
  for (let a = 0; a < axes[slow]; a++) {
    for (let b = 0; b < axes[middle]; b++) visit(a * steps[slow] + b * steps[middle], steps[fast], axes[fast]);
  }
}

/** Copies `count` elements of one or two words; places and steps count elements. */
function copy(from: Words, fromAt: number, fromStep: number, to: Words, toAt: number, toStep: number, count: number, words: 1 | 2): void {
  let f = fromAt;
  let t = toAt;
  if (words === 1) {
    for (let i = 0; i < count; i++, f += fromStep, t += toStep) to[t] = from[f];
    return;
  }
  for (let i = 0; i < count; i++, f += fromStep, t += toStep) {
    to[2 * t] = from[2 * f];
    to[2 * t + 1] = from[2 * f + 1];
  }
}
