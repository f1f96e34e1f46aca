import { writeFile } from "node:fs/promises";
import path from "node:path";

/** A graph model as the converter of TF.js writes it: `softmax(x w + b)`, where `w` goes on in the second file and `b` is quantised. Gives its first file. */
export async function writeGraphModel(folder: string): Promise<string> {
  const w = Float32Array.from({ length: 8 * 5 }, (_, i) => Math.sin(i * i));
  const b = Uint8Array.from({ length: 5 }, (_, i) => 50 * i);
  const bytes = Buffer.concat([new Uint8Array(w.buffer), b]);
  const float = { type: "DT_FLOAT" };
  const dims = (...sizes: readonly number[]) => ({ dim: sizes.map((size) => ({ size: String(size) })) });
  const constant = (name: string, ...sizes: readonly number[]) => ({
    ...{ name, op: "Const" },
    attr: { dtype: float, value: { tensor: { dtype: "DT_FLOAT", tensorShape: dims(...sizes) } } },
  });
  const model = {
    format: "graph-model",
    generatedBy: "1.15.0",
    convertedBy: "by hand",
    modelTopology: {
      node: [
        { name: "x", op: "Placeholder", attr: { dtype: float, shape: { shape: dims(-1, 8) } } },
        constant("w", 8, 5),
        constant("b", 5),
        { name: "xw", op: "MatMul", input: ["x", "w"], attr: { T: float, transpose_a: { b: false }, transpose_b: { b: false } } },
        { name: "sum", op: "AddV2", input: ["xw", "b"], attr: { T: float } },
        { name: "y", op: "Softmax", input: ["sum"], attr: { T: float } },
      ],
      library: {},
      versions: { producer: 134 },
    },
    weightsManifest: [
      {
        paths: ["group1-shard1of2.bin", "group1-shard2of2.bin"],
        weights: [
          { name: "w", shape: [8, 5], dtype: "float32" },
          { name: "b", shape: [5], dtype: "float32", quantization: { dtype: "uint8", scale: 0.01, min: -1, original_dtype: "float32" } },
        ],
      },
    ],
  };
  // TF.js 4.22 takes the bytes of a last file that is longer than the others for zeros: its own converter makes none.
  await writeFile(path.join(folder, "group1-shard1of2.bin"), bytes.subarray(0, 100));
  await writeFile(path.join(folder, "group1-shard2of2.bin"), bytes.subarray(100));
  const first = path.join(folder, "model.json");
  await writeFile(first, JSON.stringify(model));
  return first;
}
