import type { Convolution, NnKernels } from "../kernel-types.js";

// Convolution in plain TypeScript, from its definition: no patches, no panels.

const { fround } = Math;

/** The index of what the kernel's element (y, x) sees of a channel at a place, -1 where it is padding. */
function seen({ height, width, stride, padding, outWidth }: Convolution, place: number, y: number, x: number): number {
  const row = Math.floor(place / outWidth) * stride[0] - padding[0] + y;
  const column = (place % outWidth) * stride[1] - padding[1] + x;
  return row >= 0 && row < height && column >= 0 && column < width ? row * width + column : -1;
}

/** Calls `body` for each product that is in an output, in the order in which they are added: indices into outputs, weights and inputs, the last -1 for padding. */
function forOutput(shape: Convolution, row: number, output: number, place: number, body: (weight: number, input: number) => void): void {
  const { channels, groups, out, kernel, height, width } = shape;
  const depth = channels / groups;
  const group = Math.floor(output / (out / groups));
  for (let c = 0; c < depth; c++) {
    const plane = (row * channels + group * depth + c) * height * width;
    for (let y = 0; y < kernel[0]; y++) {
      for (let x = 0; x < kernel[1]; x++) {
        const at = seen(shape, place, y, x);
        body(((output * depth + c) * kernel[0] + y) * kernel[1] + x, at < 0 ? -1 : plane + at);
      }
    }
  }
}

export const referenceConvolution: Pick<NnKernels, "convolve" | "convolveWeightGradient" | "convolveInputGradient" | "planeSums"> = {
  convolve: (shape, inputs, weights, bias) => {
    const places = shape.outHeight * shape.outWidth;
    const rows = inputs.length / (shape.channels * shape.height * shape.width);
    const outputs = new Float32Array(rows * shape.out * places);
    for (let i = 0; i < outputs.length; i++) {
      const channel = Math.floor(i / places) % shape.out;
      let sum = 0;
      forOutput(shape, Math.floor(i / (places * shape.out)), channel, i % places, (weight, input) => {
        sum = fround(sum + fround(weights[weight] * (input < 0 ? 0 : inputs[input])));
      });
      outputs[i] = bias === undefined ? sum : sum + bias[channel];
    }
    return outputs;
  },

  convolveWeightGradient: (shape, inputs, gradient) => {
    const places = shape.outHeight * shape.outWidth;
    const out = new Float32Array((shape.out * shape.channels * shape.kernel[0] * shape.kernel[1]) / shape.groups);
    // Rows, then places ascending: what a weight takes comes in this order whichever output it is of.
    for (let i = 0; i < gradient.length; i++) {
      forOutput(shape, Math.floor(i / (places * shape.out)), Math.floor(i / places) % shape.out, i % places, (weight, input) => {
        out[weight] += fround(gradient[i] * (input < 0 ? 0 : inputs[input]));
      });
    }
    return out;
  },

  convolveInputGradient: (shape, gradient, weights) => {
    const { channels, groups, out, kernel, height, width } = shape;
    const places = shape.outHeight * shape.outWidth;
    const rows = gradient.length / (out * places);
    const [depth, perGroup] = [channels / groups, out / groups];
    const inputGradient = new Float32Array(rows * channels * height * width);
    for (let row = 0; row < rows; row++) {
      for (let channel = 0; channel < channels; channel++) {
        const first = Math.floor(channel / depth) * perGroup;
        for (let place = 0; place < places; place++) {
          for (let tap = 0; tap < kernel[0] * kernel[1]; tap++) {
            const at = seen(shape, place, Math.floor(tap / kernel[1]), tap % kernel[1]);
            if (at < 0) continue;
            let sum = 0;
            for (let output = first; output < first + perGroup; output++) {
              const weight = weights[(output * depth + (channel % depth)) * kernel[0] * kernel[1] + tap];
              sum = fround(sum + fround(weight * gradient[(row * out + output) * places + place]));
            }
            inputGradient[(row * channels + channel) * height * width + at] += sum;
          }
        }
      }
    }
    return inputGradient;
  },

  planeSums: (values, channels, plane) => {
    const lanes = new Float32Array(4 * channels);
    for (let i = 0; i < values.length; i++) lanes[4 * (Math.floor(i / plane) % channels) + ((i % plane) & 3)] += values[i];
    return Float32Array.from(
      { length: channels },
      (_, c) => fround(lanes[4 * c] + lanes[4 * c + 1]) + fround(lanes[4 * c + 2] + lanes[4 * c + 3]),
    );
  },
};
