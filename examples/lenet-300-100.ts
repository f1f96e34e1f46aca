import { safetensorsHeader } from "../src/archive/safetensors-header.js";
import { fileSource, openModel } from "../src/formats/index.js";
import type { NetworkSpec, Tensor } from "../src/nn/index.js";
import { SIDE } from "./mnist.js";

/** LeNet-300-100: 266,610 parameters. */
export const LENET_300_100: NetworkSpec = {
  layers: [
    { type: "linear", name: "fc1", in: SIDE * SIDE, out: 300 },
    { type: "relu" },
    { type: "linear", name: "fc2", in: 300, out: 100 },
    { type: "relu" },
    { type: "linear", name: "fc3", in: 100, out: 10 },
  ],
};

/** A safetensors file with these tensors. */
export function safetensorsBytes(tensors: readonly Tensor[], metadata: ReadonlyMap<string, string>): Uint8Array {
  return Buffer.concat([safetensorsHeader(tensors, metadata), ...tensors.map(({ data }) => data)]);
}

/** The tensors of a model file of any format. */
export async function readTensors(file: string): Promise<Tensor[]> {
  const source = await fileSource(file);
  try {
    const model = await openModel(source, { name: file });
    const tensors: Tensor[] = [];
    for (const [i, info] of model.tensors.entries()) {
      const byteLength = info.shape.reduce((product, axis) => product * axis, 4);
      if (info.dtype !== "F32") throw new TypeError(`${file}: tensor ${info.name} must be F32, got ${info.dtype}`);
      tensors.push({ ...info, data: (await model.read(i, 0, byteLength)).slice() });
    }
    return tensors;
  } finally {
    await source.close();
  }
}
