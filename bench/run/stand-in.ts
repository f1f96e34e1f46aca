import { decode } from "../../src/reference/decode.js";
import { csrMultiply, csrMultiplyVector, csrRoom } from "../js/spmv.js";
import { csrOf } from "./layers.js";

// Until coppice/run is there: its interface, by the reference.

export interface LoadLayerOptions {
  readonly variant?: "simd" | "scalar";
  readonly threads?: number;
}

export interface Layer {
  readonly inputs: number;
  readonly outputs: number;
  readonly survivors: number;
  readonly byteLength: number;
  matvec(x: Float32Array, y: Float32Array): void;
  matmul(x: Float32Array, n: number, y: Float32Array): void;
  dispose(): void;
}

export async function loadLayer(archive: Uint8Array, name: string, _options: LoadLayerOptions = {}): Promise<Layer> {
  const tensor = decode(archive).find((each) => each.name === name);
  if (tensor === undefined) throw new RangeError(`no ${name}`);
  const [outputs, inputs] = tensor.shape;
  const weights = new Float32Array(tensor.data.buffer, tensor.data.byteOffset, outputs * inputs);
  const { starts, columns, values } = csrOf(weights, outputs);
  const room = csrRoom(inputs);
  return {
    inputs,
    outputs,
    survivors: values.length,
    byteLength: 8 * values.length,
    matvec: (x, y) => csrMultiplyVector(starts, columns, values, x, y),
    matmul: (x, n, y) => csrMultiply(starts, columns, values, x, n, y, room),
    dispose: () => undefined,
  };
}
