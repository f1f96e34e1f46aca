import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { writeNetwork, writeSynthetic } from "./files/models.js";
import { writeSyntheticOnnx } from "./files/onnx.js";
import { NETWORKS, type NetworkName } from "./networks.js";

// node scripts/run.mjs bench/make-model.ts NETWORK|synthetic|onnx [--shared] [--tensors N] -o FILE [--recipe FILE]: a model file, and the recipe for it (on standard output unless a file is named). The tensors of `synthetic` and `onnx` have 256 MB each; those of `onnx` are in FILE.data.

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    shared: { type: "boolean", default: false },
    tensors: { type: "string", default: "4" },
    output: { type: "string", short: "o" },
    recipe: { type: "string" },
  },
});
const names = [...Object.keys(NETWORKS), "synthetic", "onnx"];
const [name] = positionals;
if (values.output === undefined || !names.includes(name)) {
  console.error(`usage: make-model.ts ${names.join("|")} [--shared] [--tensors N] -o FILE [--recipe FILE]`);
  process.exit(2);
}
const recipe =
  name === "synthetic"
    ? writeSynthetic(values.output, Number(values.tensors))
    : name === "onnx"
      ? writeSyntheticOnnx(values.output, Number(values.tensors))
      : writeNetwork(name as NetworkName, values.output, values.shared);
const text = `${JSON.stringify(recipe, null, 2)}\n`;
if (values.recipe) writeFileSync(values.recipe, text);
else process.stdout.write(text);
