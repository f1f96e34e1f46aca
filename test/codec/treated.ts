import { expect } from "vitest";
import { type Quantized, quantize, type Treatment } from "../../src/codec/quantize.js";
import { wholeWork } from "../../src/codec/tensor.js";
import type { EncodeKernels, FloatDtype } from "../../src/kernel-types.js";
import { referenceKernels } from "../../src/reference/index.js";
import type { Tensor } from "../../src/types.js";
import { encoders, expectSame } from "../kernels/all.js";
import { blocksOf, partOf } from "./tensors.js";

export const loaded: readonly { readonly name: string; readonly kernels: EncodeKernels }[] = encoders.map(({ name, kernels }) => ({
  name,
  kernels: kernels(),
}));

/** What a treatment leaves of a tensor, the same with all kernels. */
export async function treated(tensor: Tensor, treatment: Treatment): Promise<{ quantized: Quantized; data: Uint8Array }> {
  const results = [];
  for (const { kernels } of loaded) {
    const part = partOf(kernels, tensor);
    const quantized = await quantize(kernels, tensor.dtype, wholeWork(tensor, part), treatment);
    const parts: Uint8Array[] = [];
    for (let i = 0; i < blocksOf(tensor).count; i++) parts.push((await part.dense(i)).slice());
    results.push({ quantized, data: new Uint8Array(Buffer.concat(parts)) });
  }
  for (const [i, { data, quantized }] of results.entries()) {
    expectSame(data, results[0].data, loaded[i].name);
    expect({ exact: quantized.exact, note: quantized.note }).toEqual({
      exact: results[0].quantized.exact,
      note: results[0].quantized.note,
    });
  }
  return results[0];
}

export async function valuesOf(tensor: Tensor, treatment: Treatment): Promise<Float32Array> {
  const { data } = await treated(tensor, treatment);
  return referenceKernels.toFloat32(data, tensor.dtype as FloatDtype);
}

export const zerosOf = (values: ArrayLike<number>): number => Array.from(values).filter((value) => value === 0).length;
export const differentOf = (values: ArrayLike<number>): number => new Set(Array.from(values).filter((value) => value !== 0)).size;

/** The squared differences. */
export function sumOfSquares(was: Float32Array, is: Float32Array): number {
  return was.reduce((sum, value, i) => sum + (value - is[i]) ** 2, 0);
}
