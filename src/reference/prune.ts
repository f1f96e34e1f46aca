import type { Sifted, Survivors } from "../kernel-types.js";
import { stats } from "./stats.js";
import { bitsOf, type Words, wordsOf, wordsPerElement } from "./words.js";

/** As `EncodeKernels.prune` says. */
export function prune(values: Float32Array, threshold: number): Survivors {
  const limit = Math.fround(threshold);
  const places = new Uint32Array(values.length + 1);
  let count = 0;
  for (let i = 0; i < values.length; i++) {
    // Written always and kept only for a survivor: a branch would often be predicted wrongly.
    places[count] = i;
    count += Math.abs(values[i]) > limit ? 1 : 0;
  }
  return survivorsAt(places.subarray(0, count), bitsOf(values), 4);
}

/** As `EncodeKernels.sift` says. */
export function sift(values: Float32Array, threshold: number): Sifted {
  const limit = Math.fround(threshold);
  const squares = [0, 0, 0, 0];
  let prunedMax = 0;
  for (let lane = 0; lane < 4; lane++) {
    let sum = 0;
    for (let i = lane; i < values.length; i += 4) {
      const magnitude = Math.abs(values[i]);
      // False for a NaN; an infinity is pruned only where the threshold is one.
      if (!(magnitude <= limit) || magnitude === Number.POSITIVE_INFINITY) continue;
      sum += magnitude * magnitude;
      if (magnitude > prunedMax) prunedMax = magnitude;
    }
    squares[lane] = sum;
  }
  const prunedSquares = squares[0] + squares[1] + (squares[2] + squares[3]);
  const { sumOfSquares, nonFinite, nonZero } = stats(values);
  return { ...prune(values, threshold), sumOfSquares, nonFinite, nonZero, prunedSquares, prunedMax };
}

/** As `EncodeKernels.compact` says. */
export function compact(elements: Uint8Array, elementBytes: number): Survivors {
  const from = wordsOf(elements, elementBytes);
  const words = wordsPerElement(elementBytes);
  const elementCount = from.length / words;
  const places = new Uint32Array(elementCount + 1);
  let count = 0;
  if (words === 1) {
    for (let i = 0; i < elementCount; i++) {
      places[count] = i;
      count += from[i] !== 0 ? 1 : 0;
    }
  } else {
    for (let i = 0; i < elementCount; i++) {
      places[count] = i;
      count += (from[2 * i] | from[2 * i + 1]) !== 0 ? 1 : 0;
    }
  }
  return survivorsAt(places.subarray(0, count), from, elementBytes);
}

/** The survivors that stand at `places`, ascending. */
function survivorsAt(places: Uint32Array, from: Words, elementBytes: number): Survivors {
  const gaps = new Uint32Array(places.length);
  const elements = new Uint8Array(places.length * elementBytes);
  const kept = wordsOf(elements, elementBytes);
  const words = wordsPerElement(elementBytes);
  let maxGap = 0;
  let next = 0;
  for (let i = 0; i < places.length; i++) {
    const place = places[i];
    const gap = place - next;
    if (gap > maxGap) maxGap = gap;
    gaps[i] = gap;
    next = place + 1;
    if (words === 1) kept[i] = from[place];
    else {
      kept[2 * i] = from[2 * place];
      kept[2 * i + 1] = from[2 * place + 1];
    }
  }
  return { gaps, elements, maxGap };
}

/** As `EncodeKernels.scatter` says. */
export function scatter(
  gaps: Uint32Array,
  codes: Uint8Array | undefined,
  elements: Uint8Array,
  elementBytes: number,
  count: number,
): Uint8Array {
  const out = new Uint8Array(count * elementBytes);
  const to = wordsOf(out, elementBytes);
  const from = wordsOf(elements, elementBytes);
  const words = wordsPerElement(elementBytes);
  let at = 0;
  for (let i = 0; i < gaps.length; i++) {
    at += gaps[i];
    const element = codes === undefined ? i : codes[i];
    for (let w = 0; w < words; w++) to[at * words + w] = from[element * words + w];
    at++;
  }
  return out;
}
