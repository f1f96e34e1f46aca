import type { NnKernels, Windows } from "../kernel-types.js";

// Pooling, normalization and dropout in plain TypeScript.

const { fround } = Math;

/** Calls `body` with the index of each output and of each input under its window, row by row. */
function forWindows(windows: Windows, planes: number, body: (output: number, input: number, place: number) => void): void {
  const { height, width, kernel, stride, padding, outHeight, outWidth } = windows;
  for (let output = 0; output < planes * outHeight * outWidth; output++) {
    const plane = Math.floor(output / (outHeight * outWidth));
    const top = (Math.floor(output / outWidth) % outHeight) * stride[0] - padding[0];
    const left = (output % outWidth) * stride[1] - padding[1];
    for (let y = Math.max(top, 0); y < Math.min(top + kernel[0], height); y++) {
      for (let x = Math.max(left, 0); x < Math.min(left + kernel[1], width); x++) {
        body(output, plane * height * width + y * width + x, y * width + x);
      }
    }
  }
}

const planesOf = ({ height, width }: Windows, inputs: Float32Array): number => inputs.length / (height * width);
const outPlanesOf = ({ outHeight, outWidth }: Windows, outputs: Float32Array): number => outputs.length / (outHeight * outWidth);
const outCount = (windows: Windows, planes: number): number => planes * windows.outHeight * windows.outWidth;
const inCount = (windows: Windows, planes: number): number => planes * windows.height * windows.width;

export const referenceLayers: Pick<
  NnKernels,
  | "maxPool"
  | "maxPoolGradient"
  | "averagePool"
  | "averagePoolGradient"
  | "batchMoments"
  | "momentGradients"
  | "normalize"
  | "normalizeGradient"
  | "dropout"
> = {
  maxPool: (windows, inputs) => {
    const planes = planesOf(windows, inputs);
    const outputs = new Float32Array(outCount(windows, planes)).fill(Number.NEGATIVE_INFINITY);
    const winners = new Uint32Array(outputs.length).fill(0xffffffff);
    forWindows(windows, planes, (output, input, place) => {
      if (winners[output] !== 0xffffffff && !(inputs[input] > outputs[output]) && !Number.isNaN(inputs[input])) return;
      outputs[output] = inputs[input];
      winners[output] = place;
    });
    return { outputs, winners };
  },

  maxPoolGradient: (windows, gradient, winners) => {
    const planes = outPlanesOf(windows, gradient);
    const inputGradient = new Float32Array(inCount(windows, planes));
    for (let i = 0; i < gradient.length; i++) {
      const plane = Math.floor(i / (windows.outHeight * windows.outWidth));
      inputGradient[plane * windows.height * windows.width + winners[i]] += gradient[i];
    }
    return inputGradient;
  },

  averagePool: (windows, inputs) => {
    const outputs = new Float32Array(outCount(windows, planesOf(windows, inputs)));
    forWindows(windows, planesOf(windows, inputs), (output, input) => {
      outputs[output] += inputs[input];
    });
    return outputs.map((sum) => sum / (windows.kernel[0] * windows.kernel[1]));
  },

  averagePoolGradient: (windows, gradient) => {
    const planes = outPlanesOf(windows, gradient);
    const inputGradient = new Float32Array(inCount(windows, planes));
    forWindows(windows, planes, (output, input) => {
      inputGradient[input] += fround(gradient[output] / (windows.kernel[0] * windows.kernel[1]));
    });
    return inputGradient;
  },

  batchMoments: (values, channels, plane) => {
    const moments = new Float64Array(2 * channels);
    const count = values.length / channels;
    const channelOf = (i: number): number => Math.floor(i / plane) % channels;
    for (let i = 0; i < values.length; i++) moments[2 * channelOf(i)] += values[i];
    for (let c = 0; c < channels; c++) moments[2 * c] /= count;
    for (let i = 0; i < values.length; i++) {
      const away = values[i] - moments[2 * channelOf(i)];
      moments[2 * channelOf(i) + 1] += away * away;
    }
    for (let c = 0; c < channels; c++) moments[2 * c + 1] /= count;
    return moments;
  },

  momentGradients: (values, gradient, moments, plane) => {
    const sums = new Float64Array(moments.length);
    for (let i = 0; i < values.length; i++) {
      const at = 2 * (Math.floor(i / plane) % (moments.length / 2));
      sums[at] += gradient[i];
      sums[at + 1] += gradient[i] * (values[i] - moments[at]);
    }
    return sums;
  },

  normalize: (values, by, plane) =>
    values.map((value, i) => {
      const [mean, scale, shift] = by.subarray(3 * (Math.floor(i / plane) % (by.length / 3)));
      return fround(fround(value - mean) * scale) + shift;
    }),

  normalizeGradient: (values, outGradient, by, plane) => {
    for (let i = 0; i < values.length; i++) {
      const [mean, slope, bend, shift] = by.subarray(4 * (Math.floor(i / plane) % (by.length / 4)));
      const rest = fround(fround(bend * fround(values[i] - mean)) + shift);
      outGradient[i] = fround(slope * outGradient[i]) + rest;
    }
  },

  dropout: (outValues, key, below, scale) => {
    for (let i = 0; i < outValues.length; i++) {
      let hash = (key + i) >>> 0;
      hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d);
      hash = Math.imul(hash ^ (hash >>> 15), 0x846ca68b);
      hash ^= hash >>> 16;
      outValues[i] = hash >>> 0 < below ? 0 : outValues[i] * fround(scale);
    }
  },
};
