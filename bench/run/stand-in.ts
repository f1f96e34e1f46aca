import { decode } from "../../src/reference/decode.js";

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
  const layer: Layer = {
    inputs,
    outputs,
    survivors: weights.reduce((sum: number, weight: number) => sum + (weight === 0 ? 0 : 1), 0),
    byteLength: weights.byteLength,
    matvec: (x, y) => layer.matmul(x, 1, y),
    matmul(x, n, y) {
      for (let i = 0; i < n; i++)
        for (let row = 0; row < outputs; row++) {
          let sum = 0;
          for (let column = 0; column < inputs; column++) sum += weights[row * inputs + column] * x[i * inputs + column];
          y[i * outputs + row] = sum;
        }
    },
    dispose: () => undefined,
  };
  return layer;
}
