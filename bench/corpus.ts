import { referenceKernels } from "../src/reference/index.js";

// Inputs with the shapes that real layers have, the same on every run.

/** Numbers in [0, 1) from a seed: mulberry32. */
export function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = Math.imul(state ^ (state >>> 15), state | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Weights as a trained layer has them: normal, by the polar method. */
export function normalWeights(count: number, seed: number): Float32Array {
  const random = uniform(seed);
  const weights = new Float32Array(count);
  for (let i = 0; i < count; i += 2) {
    let x: number;
    let y: number;
    let s: number;
    do {
      x = 2 * random() - 1;
      y = 2 * random() - 1;
      s = x * x + y * y;
    } while (s >= 1 || s === 0);
    const scale = 0.05 * Math.sqrt((-2 * Math.log(s)) / s);
    weights[i] = x * scale;
    if (i + 1 < count) weights[i + 1] = y * scale;
  }
  return weights;
}

/** The threshold above which `density` of normal weights lie: by sorting a sample's magnitudes. */
export function thresholdFor(weights: Float32Array, density: number): number {
  const magnitudes = weights
    .slice(0, 1 << 16)
    .map(Math.abs)
    .sort();
  return magnitudes[Math.floor(magnitudes.length * (1 - density))];
}

/** A matrix as pruning and sharing leave it: `density` survivors with 2^bits centroids, as float32 bytes. */
export function sharedLayer(count: number, density: number, bits: number, seed: number): Uint8Array {
  const weights = normalWeights(count, seed);
  const { gaps, elements } = referenceKernels.prune(weights, thresholdFor(weights, density));
  const survivors = new Float32Array(elements.buffer, elements.byteOffset, elements.length / 4);
  const step = 0.5 / 2 ** bits;
  const layer = new Float32Array(count);
  let at = 0;
  for (let i = 0; i < gaps.length; i++) {
    at += gaps[i];
    layer[at++] = Math.fround(
      Math.max(-(2 ** (bits - 1)), Math.min(2 ** (bits - 1) - 1, Math.round(survivors[i] / step - 0.5))) * step + step / 2,
    );
  }
  return new Uint8Array(layer.buffer);
}
