import type { RunnableModel, Signature, ValueDtype, ValueInfo } from "../../src/eval/index.js";
import type { Tensor } from "../../src/types.js";

// Models that are functions: no runtime is needed to try what goes into one and what comes out.

export const value = (name: string, shape: readonly (number | string)[], dtype: ValueDtype = "F32"): ValueInfo => ({ name, dtype, shape });

export const f32 = (name: string, shape: readonly number[], values: readonly number[]): Tensor => ({
  name,
  dtype: "F32",
  shape,
  data: new Uint8Array(Float32Array.from(values).buffer),
});

export const numbers = ({ data }: Tensor): number[] => [...new Float32Array(data.slice().buffer)];

/** A model that answers what `answer` says, and keeps what it was given. */
export function modelOf(
  { inputs, outputs }: Signature,
  answer: (...inputs: Tensor[]) => Tensor[],
): RunnableModel & { readonly given: readonly Tensor[][] } {
  const given: Tensor[][] = [];
  return {
    inputs,
    outputs,
    given,
    async run(tensors) {
      given.push([...tensors]);
      return answer(...tensors);
    },
    async release() {},
  };
}

/** A model with one input `x` of [n, classes], which it answers as it is, times `factor` and more by `shift`. */
export function linear(factor = 1, shift = 0, classes = 3): RunnableModel & { readonly given: readonly Tensor[][] } {
  const signature = { inputs: [value("x", ["n", classes])], outputs: [value("y", ["n", classes])] };
  return modelOf(signature, (x) => [
    f32(
      "y",
      x.shape,
      numbers(x).map((one) => one * factor + shift),
    ),
  ]);
}
