import * as reference from "../../src/reference/run.js";
import type { Tensor } from "../../src/types.js";
import { Random } from "../random.js";

/** A matrix in float32, and what runs it in plain TypeScript. */
export class Expected {
  readonly rows: number;
  readonly columns: number;
  readonly weights: Float32Array;
  readonly codebook: Float32Array;
  readonly #kept: Uint8Array;
  readonly #codes: Uint16Array;

  constructor(rows: number, columns: number, weights: Float32Array) {
    this.rows = rows;
    this.columns = columns;
    this.weights = weights;
    this.codebook = Float32Array.from(new Set(weights.filter((weight) => weight !== 0)));
    const codes = new Map([...this.codebook].map((value, code) => [value, code]));
    this.#kept = Uint8Array.from(weights, (weight) => (weight !== 0 ? 1 : 0));
    this.#codes = Uint16Array.from(weights, (weight) => codes.get(weight) ?? 0);
  }

  get survivors(): number {
    return this.#kept.reduce((sum, kept) => sum + kept, 0);
  }

  lines(order: "columns" | "rows"): reference.RunLines {
    return reference.layOut(this.#kept, this.#codes, this.rows, this.columns, order);
  }

  /** One vector by the kernel of an order, or that of a dense layer. */
  matvec(order: "columns" | "rows" | "dense", x: Float32Array, bias?: Float32Array, relu = false): Float32Array {
    const y = bias?.slice() ?? new Float32Array(this.rows);
    if (order === "dense") reference.matvecDense(this.weights, x, y);
    else if (order === "rows") reference.matvecRows(this.lines("rows"), this.codebook, x, y);
    else reference.matvecColumns(this.lines("columns"), this.codebook, x, y);
    return relu ? y.map((value) => (value < 0 ? 0 : value)) : y;
  }

  /** `n` vectors, each a row, in lanes, by the survivors or dense. */
  matmul(X: Float32Array, n: number, bias?: Float32Array, relu = false, dense = false): Float32Array {
    const lanes = transposed(X, n, this.columns);
    if (dense) return transposed(reference.matmulDense(this.weights, this.rows, bias, lanes, n, relu), this.rows, n);
    return transposed(reference.matmulRows(this.lines("rows"), this.codebook, bias, lanes, n, relu), this.rows, n);
  }
}

/** The transpose of f32[rows][columns]. */
export function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  return Float32Array.from({ length: values.length }, (_, i) => values[(i % rows) * columns + Math.floor(i / rows)]);
}

/** Numbers of which so many are not 0. */
export function activations(random: Random, length: number, density = 0.4): Float32Array {
  return Float32Array.from({ length }, () => (random.chance(density) ? random.normal() : random.chance(0.2) ? -0 : 0));
}

/** Weights of at most so many values, of which about `density` are kept. */
export function weightsOf(seed: number, count: number, density: number, values: number): Float32Array {
  const random = new Random(seed);
  const codebook = random.weights(values);
  return Float32Array.from({ length: count }, () => (random.chance(density) ? codebook[random.below(values)] : 0));
}

/** A tensor of floats in float32. */
export function floatsOf({ data, dtype }: Pick<Tensor, "data" | "dtype">): Float32Array {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  if (dtype === "F32") return Float32Array.from({ length: data.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
  if (dtype === "F64") return Float32Array.from({ length: data.length / 8 }, (_, i) => view.getFloat64(8 * i, true));
  if (dtype === "F16") return Float32Array.from({ length: data.length / 2 }, (_, i) => ofHalf(view.getUint16(2 * i, true)));
  const bits = Uint32Array.from({ length: data.length / 2 }, (_, i) => view.getUint16(2 * i, true) << 16);
  return new Float32Array(bits.buffer);
}

function ofHalf(half: number): number {
  const [sign, exponent, fraction] = [half >> 15 ? -1 : 1, (half >> 10) & 31, half & 1023];
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}
