import { log } from "../src/reference/nn.js";
import { fillGaps } from "./js/gaps.js";
import { assignCodes, centroidsByHistogram, midpointsOf } from "./js/kmeans.js";
import { histogramOfMagnitudes } from "./js/values.js";
import { type Layer, layerOf, type NetworkName, weightCount } from "./networks.js";

// Inputs with the shapes, densities and code bits of the published networks, the same on every run and every machine. Weights are normal and survivors fall where they may: a trained
// network has rows and columns that are denser than others, so its gaps take somewhat fewer bits than these.

/** Cells of the table of quantiles. */
const CELLS = 65536;

/** Where the outermost cells end, in standard deviations: among 2^25 normal numbers one is beyond it. */
const FARTHEST = 5.4;

/** The quantile of a normal distribution, for p up to one half: P. J. Acklam's rational approximation, its relative error below 1.2e-9. */
function lowerQuantile(p: number): number {
  if (p < 0.02425) {
    const q = Math.sqrt(2 * log(1 / p));
    const above =
      ((((-7.784894002430293e-3 * q - 3.223964580411365e-1) * q - 2.400758277161838) * q - 2.549732539343734) * q + 4.374664141464968) * q;
    return (
      (above + 2.938163982698783) /
      ((((7.784695709041462e-3 * q + 3.224671290700398e-1) * q + 2.445134137142996) * q + 3.754408661907416) * q + 1)
    );
  }
  const q = p - 0.5;
  const r = q * q;
  const above =
    ((((-3.969683028665376e1 * r + 2.209460984245205e2) * r - 2.759285104469687e2) * r + 1.38357751867269e2) * r - 3.066479806614716e1) *
      r +
    2.506628277459239;
  const below =
    ((((-5.447609879822406e1 * r + 1.615858368580409e2) * r - 1.556989798598866e2) * r + 6.680131188771972e1) * r - 1.328068155288572e1) *
      r +
    1;
  return (q * above) / below;
}

let quantiles: Float64Array | undefined;

/** Quantiles at the multiples of 1 / 65536, the outermost ones cut off. */
function quantileTable(): Float64Array {
  if (quantiles) return quantiles;
  quantiles = new Float64Array(CELLS + 1);
  for (let i = 0; i <= CELLS / 2; i++) {
    quantiles[i] = i === 0 ? -FARTHEST : lowerQuantile(i / CELLS);
    quantiles[CELLS - i] = -quantiles[i];
  }
  return quantiles;
}

/** A state of `fillNormal` that is never 0: the seed, mixed. */
export function normalState(seed: number): number {
  const z = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b);
  return z ^ (z >>> 15) || 1;
}

/**
 * Fills `out` with normal numbers, and returns the state that goes on from there: 32 bits of a xorshift generator, of which the upper half takes a cell of the quantiles and the lower half a place in it.
 */
export function fillNormal(out: Float32Array, deviation: number, state: number): number {
  const table = quantileTable();
  const step = 1 / 65536;
  let x = state;
  for (let i = 0; i < out.length; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    const cell = x >>> 16;
    const low = table[cell];
    out[i] = deviation * (low + (table[cell + 1] - low) * ((x & 65535) * step));
  }
  return x;
}

/** A layer's weights as training leaves them: normal, the deviation after He's rule. */
export function denseWeights(layer: Pick<Layer, "name" | "shape">): Float32Array {
  const weights = new Float32Array(weightCount(layer));
  fillNormal(weights, deviationOf(layer), normalState(seedOf(layer)));
  return weights;
}

export function deviationOf({ shape }: Pick<Layer, "shape">): number {
  return Math.sqrt((2 * shape[0]) / weightCount({ shape }));
}

/** Of the name and the shape, so that a layer is the same wherever it stands: FNV-1a. */
export function seedOf({ name, shape }: Pick<Layer, "name" | "shape">): number {
  let hash = 0x811c9dc5;
  for (const char of `${name} ${shape.join()}`) hash = Math.imul(hash ^ (char.codePointAt(0) as number), 0x01000193);
  return hash >>> 0;
}

/** The largest of the magnitudes that must go so that `density` of the weights stay: selected exactly, by their bits. */
export function thresholdFor(weights: Float32Array, density: number): number {
  const wanted = weights.length - Math.round(weights.length * density);
  if (wanted === 0) return 0;
  const bits = new Int32Array(weights.buffer, weights.byteOffset, weights.length);
  const upper = select(wanted, histogramOfMagnitudes(bits, 0, 0));
  const lower = select(wanted - upper.before, histogramOfMagnitudes(bits, 1, upper.bin));
  return new Float32Array(Uint32Array.of((upper.bin << 15) | lower.bin).buffer)[0];
}

function select(wanted: number, counts: Int32Array): { bin: number; before: number } {
  let before = 0;
  let bin = 0;
  while (before + counts[bin] < wanted) before += counts[bin++];
  return { bin, before };
}

/** The survivors of a layer, and the pruned weights before each. */
export interface Pruned {
  readonly threshold: number;
  readonly gaps: Uint32Array;
  readonly survivors: Float32Array;
}

const pruned = new Map<Layer, Pruned>();

/** A layer pruned to its density; made once. The caller does not change the arrays. */
export function pruneLayer(layer: Layer): Pruned {
  let result = pruned.get(layer);
  if (result === undefined) {
    const weights = denseWeights(layer);
    result = pruneAll(weights, thresholdFor(weights, layer.density));
    pruned.set(layer, result);
  }
  return result;
}

function pruneAll(weights: Float32Array, threshold: number): Pruned {
  const { length } = weights;
  let found = 0;
  for (let i = 0; i < length; i++) if (Math.abs(weights[i]) > threshold) found++;
  const gaps = new Uint32Array(found);
  const survivors = new Float32Array(found);
  for (let i = 0, next = 0, to = 0; i < length; i++) {
    if (!(Math.abs(weights[i]) > threshold)) continue;
    gaps[to] = i - next;
    survivors[to++] = weights[i];
    next = i + 1;
  }
  return { threshold, gaps, survivors };
}

/** What of a pruned layer falls into its first `weights` weights. */
export function firstBlock({ threshold, gaps, survivors }: Pruned, weights: number): Pruned {
  let count = 0;
  for (let end = 0; count < gaps.length && (end += gaps[count] + 1) <= weights; ) count++;
  return { threshold, gaps: gaps.slice(0, count), survivors: survivors.slice(0, count) };
}

/** Codes of values by k-means with 2^bits centroids from even steps, and the centroids. */
export function shareValues(values: Float32Array, bits: number): { centroids: Float64Array; codes: Uint8Array } {
  const { centroids } = centroidsByHistogram(values, 2 ** bits);
  return { centroids, codes: assignCodes(values, midpointsOf(centroids), new Uint8Array(values.length)) };
}

/** Prunes and shares a layer's weights in place; returns the threshold. */
export function pruneAndShare(weights: Float32Array, { density, bits }: Pick<Layer, "density" | "bits">): number {
  const threshold = thresholdFor(weights, density);
  const { survivors } = pruneAll(weights, threshold);
  const { centroids, codes } = shareValues(survivors, bits);
  const shared = Float32Array.from(centroids);
  for (let i = 0, at = 0; i < weights.length; i++) weights[i] = Math.abs(weights[i]) > threshold ? shared[codes[at++]] : 0;
  return threshold;
}

/** Symbols of the four distributions in which Huffman coding is measured. */
export interface SymbolSource {
  readonly name: string;
  /** Symbols are below it. */
  readonly alphabet: number;
  readonly symbols: () => Uint8Array;
}

/** What stands for that many pruned weights and no survivor: a gap alphabet of 64, as pays at 9 % density. */
export const FILLER = 63;

const SYMBOLS = 1 << 20;

function codesOf(network: NetworkName, name: string): Uint8Array {
  const layer = layerOf(network, name);
  return shareValues(pruneLayer(layer).survivors, layer.bits).codes.slice(0, SYMBOLS);
}

export function fillGapSymbols(gaps: Uint32Array, filler: number): Uint8Array {
  let count = gaps.length;
  for (let i = 0; i < gaps.length; i++) count += Math.floor(gaps[i] / filler);
  const symbols = new Uint8Array(count);
  fillGaps(new Int32Array(gaps.buffer, gaps.byteOffset, gaps.length), filler, symbols);
  return symbols;
}

/** Every weight of a layer as -1, 0 or 1, zero within 0.7 times the mean magnitude (ternary weight networks: arXiv 1605.04711). */
function ternaryCodes(layer: Layer): Uint8Array {
  const weights = new Float32Array(SYMBOLS);
  fillNormal(weights, deviationOf(layer), normalState(seedOf(layer)));
  const limit = 0.7 * (weights.reduce((sum: number, weight: number) => sum + Math.abs(weight), 0) / weights.length);
  return Uint8Array.from(weights, (weight: number) => (Math.abs(weight) <= limit ? 0 : weight < 0 ? 1 : 2));
}

/** Made once, since several tasks code the same symbols. The caller does not change them. */
function once(make: () => Uint8Array): () => Uint8Array {
  let made: Uint8Array | undefined;
  return () => (made ??= make());
}

export const SYMBOL_SOURCES: readonly SymbolSource[] = [
  {
    name: "gaps",
    alphabet: FILLER + 1,
    symbols: once(() => fillGapSymbols(pruneLayer(layerOf("alexnet", "fc7")).gaps, FILLER).slice(0, SYMBOLS)),
  },
  { name: "5-bit codes", alphabet: 32, symbols: once(() => codesOf("alexnet", "fc7")) },
  { name: "8-bit codes", alphabet: 256, symbols: once(() => codesOf("vgg16", "conv5_3")) },
  { name: "ternary", alphabet: 3, symbols: once(() => ternaryCodes(layerOf("alexnet", "fc8"))) },
];
