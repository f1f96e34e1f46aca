import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Recipe } from "../../src/index.js";
import { hasProgram } from "../node/program.js";
import { field, number } from "../protobuf.js";
import { coppiceWithPeak } from "./measure.js";
import { bytesOf, SIDE, syntheticName, syntheticRecipe, writeFile, writeSyntheticTensor } from "./models.js";
import type { Context } from "./parts.js";

/** Tensors of 256 MB: 3 GB, more than a protocol buffer can have. */
const TENSORS = 12;

const MB = 1e6;

/** Peak memory on an ONNX model of 3 GB, whose weights are in a file beside it. */
export async function onnxMemory({ folder, say }: Context): Promise<void> {
  if (!(await hasProgram("/usr/bin/time", "-v", "true"))) return say("peak memory", "left out: there is no GNU time");
  const [model, recipe, archive, back] = ["onnx", "onnx.json", "onnx.coppice", "back"].map((end) => path.join(folder, `3GB.${end}`));
  if (!existsSync(recipe)) writeFileSync(recipe, JSON.stringify(writeSyntheticOnnx(model, TENSORS)));
  rmSync(back, { recursive: true, force: true });
  for (const [command, ...args] of [
    ["compress", model, "--recipe", recipe, "-o", archive, "--force"],
    ["decompress", archive, "-o", back],
  ]) {
    const { peak, seconds } = await coppiceWithPeak(command, ...args, "--quiet");
    say(`coppice ${command}, an ONNX model of 3 GB: peak memory`, `${((peak as number) / MB).toFixed(0)} MB in ${seconds.toFixed(1)} s`);
  }
  const files = [path.basename(model), `${path.basename(model)}.data`];
  for (const file of files)
    if (statSync(path.join(back, file)).size !== statSync(path.join(folder, file)).size)
      throw new Error(`${file} has come back with another length`);
  if (!readFileSync(path.join(back, files[0])).equals(readFileSync(model))) throw new Error("the graph has come back otherwise");
}

/** Each tensor's data begins at a multiple of it, as runtimes map them. */
const PAGE_BYTES = 4096;

/** Writes `count` synthetic tensors as the matrices of an ONNX graph, in `file`.data beside it; returns the recipe for them. */
export function writeSyntheticOnnx(file: string, count: number): Recipe {
  const data = `${file}.data`;
  const nodes: Uint8Array[] = [];
  const initializers: Uint8Array[] = [];
  let threshold = 0;
  writeFile(data, (write) => {
    let at = 0;
    for (let i = 0; i < count; i++) {
      const start = Math.ceil(at / PAGE_BYTES) * PAGE_BYTES;
      write(new Uint8Array(start - at));
      const found = writeSyntheticTensor(i, (part) => write(bytesOf(part)));
      threshold ||= found;
      at = start + 4 * SIDE * SIDE;
      nodes.push(field(1, field(1, `x${i}`), field(1, syntheticName(i)), field(2, `x${i + 1}`), field(4, "MatMul")));
      initializers.push(field(5, matrix(syntheticName(i), path.basename(data), start)));
    }
  });
  writeFile(file, (write) => write(Buffer.concat([number(1, 8), field(7, ...nodes, ...initializers), field(8, number(2, 17))])));
  return syntheticRecipe(threshold);
}

/** TensorProto: its axes and type, its name, where its data is, and that this is another file. */
function matrix(name: string, location: string, offset: number): Buffer {
  const entry = (key: string, value: string | number): Buffer => field(13, field(1, key), field(2, String(value)));
  const keys = [entry("location", location), entry("offset", offset), entry("length", 4 * SIDE * SIDE)];
  return Buffer.concat([number(1, SIDE), number(1, SIDE), number(2, 1), field(8, name), ...keys, number(14, 1)]);
}
