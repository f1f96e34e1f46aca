import type { NnKernels } from "../kernel-types.js";
import { referenceConvolution } from "./nn-convolution.js";
import { referenceLayers } from "./nn-layers.js";

// The kernels of training in plain TypeScript: the same operations in the same order, each rounded to float32 where the kernels round.

const { fround } = Math;

const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;
const EXP_LEAST = -80;

/** 1 / i! for i from 13 down to 0: exact factorials, each divided once. */
const TAYLOR: readonly number[] = [6227020800, 479001600, 39916800, 3628800, 362880, 40320, 5040, 720, 120, 24, 6, 2, 1, 1].map(
  (factorial) => 1 / factorial,
);

const word = new DataView(new ArrayBuffer(8));

/** 2^n for a normal float64. `2 ** n` would do, but no standard says that it is exact. */
function powerOfTwo(n: number): number {
  word.setUint32(0, (n + 1023) << 20);
  return word.getFloat64(0);
}

/** e^x for x <= 0 or NaN, of basic operations alone; 0 below -80. */
export function exp(x: number): number {
  if (!(x >= EXP_LEAST)) return Number.isNaN(x) ? x : 0;
  const n = Math.floor(x * Math.LOG2E + 0.5);
  const r = x - n * LN2_HIGH - n * LN2_LOW;
  let sum = 0;
  for (const term of TAYLOR) sum = sum * r + term;
  return sum * powerOfTwo(n);
}

/** ln x for x >= 1 or NaN, of basic operations alone. */
export function log(x: number): number {
  let exponent = 0;
  let mantissa = x;
  while (mantissa > Math.SQRT2) {
    mantissa *= 0.5;
    exponent++;
  }
  const s = (mantissa - 1) / (mantissa + 1);
  const z = s * s;
  let sum = 0;
  for (let i = 21; i > 0; i -= 2) sum = sum * z + 1 / i;
  return exponent * Math.LN2 + 2 * s * sum;
}

/** base^exponent, for integers above 0, by squares. */
function power(base: number, exponent: number): number {
  if (exponent === 0) return 1;
  const rest = power(base * base, Math.floor(exponent / 2));
  return exponent % 2 === 1 ? base * rest : rest;
}

/** Odds e^((logit - largest) / T) of a row, and their sum. */
function softenedOdds(row: Float32Array, temperature: number): { odds: number[]; sum: number; most: number } {
  let most = row[0];
  for (const logit of row) if (logit > most || Number.isNaN(logit)) most = logit;
  const odds = Array.from(row, (logit) => exp((logit - most) / temperature));
  return { odds, sum: odds.reduce((sum, value) => sum + value, 0), most };
}

export const referenceNnKernels: NnKernels = {
  variant: "reference",
  ...referenceConvolution,
  ...referenceLayers,

  multiply: ({ m, n, k, transposedA, transposedB, accumulate }, a, b, outC) => {
    const [rowA, stepA] = transposedA ? [1, m] : [k, 1];
    const [columnB, stepB] = transposedB ? [k, 1] : [1, n];
    if (!accumulate) outC.fill(0);
    for (let i = 0; i < m; i++) {
      for (let p = 0; p < k; p++) {
        const factor = a[i * rowA + p * stepA];
        for (let j = 0; j < n; j++) outC[i * n + j] += fround(factor * b[j * columnB + p * stepB]);
      }
    }
  },

  addBias: (outValues, bias) => {
    for (let i = 0; i < outValues.length; i++) outValues[i] += bias[i % bias.length];
  },

  relu: (outValues) => {
    for (let i = 0; i < outValues.length; i++) if (outValues[i] < 0) outValues[i] = 0;
  },

  reluGradient: (outputs, outGradient) => {
    for (let i = 0; i < outputs.length; i++) if (!(outputs[i] > 0)) outGradient[i] = 0;
  },

  columnSums: (values, columns) => {
    const sums = new Float32Array(columns);
    for (let i = 0; i < values.length; i++) sums[i % columns] += values[i];
    return sums;
  },

  sgdStep: (outWeights, gradient, outVelocity, step) => {
    const rate = fround(step.learningRate);
    const momentum = fround(step.momentum);
    const decay = fround(step.weightDecay);
    for (let i = 0; i < outWeights.length; i++) {
      const slope = fround(gradient[i] + fround(decay * outWeights[i]));
      outVelocity[i] = fround(momentum * outVelocity[i]) + slope;
      outWeights[i] -= fround(rate * outVelocity[i]);
    }
  },

  adamStep: (outWeights, gradient, outMeans, outSquares, step) => {
    const { learningRate, beta1, beta2, weightDecay, decoupled } = step;
    const rate = fround(learningRate / (1 - power(beta1, step.step)));
    const root = fround(Math.sqrt(1 / (1 - power(beta2, step.step))));
    const kept = decoupled ? fround(1 - learningRate * weightDecay) : 1;
    const decay = decoupled ? 0 : fround(weightDecay);
    const [meanKept, meanShare, squareKept, squareShare] = [beta1, 1 - beta1, beta2, 1 - beta2].map(fround);
    const epsilon = fround(step.epsilon);
    for (let i = 0; i < outWeights.length; i++) {
      const slope = fround(gradient[i] + fround(decay * outWeights[i]));
      outMeans[i] = fround(meanKept * outMeans[i]) + fround(meanShare * slope);
      outSquares[i] = fround(squareKept * outSquares[i]) + fround(fround(squareShare * slope) * slope);
      const spread = fround(fround(fround(Math.sqrt(outSquares[i])) * root) + epsilon);
      outWeights[i] = fround(kept * outWeights[i]) - fround(rate * fround(outMeans[i] / spread));
    }
  },

  softmaxCrossEntropy: (logits, labels, classes, samples = labels.length) => {
    const gradient = new Float32Array(logits.length);
    const losses = new Float32Array(labels.length);
    for (const [row, label] of labels.entries()) {
      const start = row * classes;
      let most = logits[start];
      for (let c = start + 1; c < start + classes; c++) if (logits[c] > most) most = logits[c];
      let sum = 0;
      for (let c = start; c < start + classes; c++) {
        const odds = exp(logits[c] - most);
        gradient[c] = odds;
        sum += odds;
      }
      losses[row] = log(sum) - (logits[start + label] - most);
      for (let c = start; c < start + classes; c++) {
        const probability = gradient[c] / sum;
        gradient[c] = (c === start + label ? probability - 1 : probability) / samples;
      }
    }
    return { gradient, losses };
  },

  mixSoftTargets: (logits, { logits: teacher, temperature, weight }, classes, samples, outGradient, outLosses) => {
    for (let row = 0; row < outLosses.length; row++) {
      const start = row * classes;
      const own = softenedOdds(logits.subarray(start, start + classes), temperature);
      const other = softenedOdds(teacher.subarray(start, start + classes), temperature);
      const logSum = log(own.sum);
      let loss = 0;
      for (let c = 0; c < classes; c++) {
        const p = own.odds[c] / own.sum;
        const q = other.odds[c] / other.sum;
        if (q !== 0) loss += q * (logSum - (logits[start + c] - own.most) / temperature);
        outGradient[start + c] = (1 - weight) * outGradient[start + c] + (weight * temperature * (p - q)) / samples;
      }
      outLosses[row] = (1 - weight) * outLosses[row] + weight * temperature * temperature * loss;
    }
  },

  argmax: (logits, classes) =>
    Uint32Array.from({ length: logits.length / classes }, (_, row) => {
      let best = 0;
      for (let c = 1; c < classes; c++) if (logits[row * classes + c] > logits[row * classes + best]) best = c;
      return best;
    }),

  maskValues: (outValues, mask) => {
    for (let i = 0; i < outValues.length; i++) if (mask[i] === 0) outValues[i] = 0;
  },

  spreadCentroids: (codes, mask, centroids) => Float32Array.from(codes, (code, i) => (mask[i] === 0 ? 0 : centroids[code])),

  settleWeights: (weights, survivors, outCentroids, outCodes, outValues) => {
    const k = outCentroids.length;
    const midpoints = Float64Array.from({ length: k - 1 }, (_, j) => (outCentroids[j] + outCentroids[j + 1]) / 2);
    const [sums, counts] = [new Float64Array(k), new Float64Array(k)];
    for (const i of survivors) {
      const code = midpoints.filter((midpoint) => midpoint < weights[i]).length;
      outCodes[i] = code;
      sums[code] += weights[i];
      counts[code]++;
    }
    for (let j = 0; j < k; j++) {
      const mean = fround(sums[j] / counts[j]);
      if (counts[j] > 0 && mean !== 0) outCentroids[j] = mean;
    }
    for (const i of survivors) outValues[i] = outCentroids[outCodes[i]];
  },
};
