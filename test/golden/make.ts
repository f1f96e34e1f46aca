// node scripts/run.mjs test/golden/make.ts [--force]
//
// Writes the golden archives beside this file: those that are missing, and with --force all. What a golden file decodes to is taken from the tensors that it
// was made of, not from a decoder.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { type CompressOptions, compress, type Tensor } from "../../src/index.js";
import type { Crafted } from "../archive/craft.js";
import { SAMPLES } from "../archive/samples.js";
import { FILES, MIXED, NETWORK } from "../pipeline/models.js";
import { Random } from "../random.js";
import { BROKEN } from "./broken.js";
import type { Golden } from "./golden.js";

const FOLDER = path.dirname(process.argv[1]);
const BAD = path.join(FOLDER, "bad");
const force = process.argv.includes("--force");

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const fileName = (title: string): string => `${title.replaceAll(/[^A-Za-z0-9.^]+/g, "-").replaceAll("^", "-")}.coppice`;

const expected: Record<string, Golden> = {};

function add(
  title: string,
  archive: Uint8Array,
  tensors: readonly (Tensor | Crafted)[],
  files: Readonly<Record<string, Uint8Array>> = {},
): void {
  put(path.join(FOLDER, fileName(title)), archive);
  expected[fileName(title)] = {
    tensors: tensors.map(({ name, dtype, shape, data }) => ({ name, dtype, shape: [...shape], sha256: sha256(data) })),
    files: Object.entries(files).map(([file, bytes]) => ({ path: file, sha256: sha256(bytes) })),
  };
}

function put(file: string, bytes: Uint8Array): void {
  if (existsSync(file) && Buffer.compare(readFileSync(file), bytes) !== 0 && !force) {
    process.stderr.write(`${path.relative(FOLDER, file)} is there and differs: golden files stay (--force overwrites)\n`);
    process.exitCode = 1;
    return;
  }
  writeFileSync(file, bytes);
}

async function encoded(title: string, tensors: readonly Tensor[], options: CompressOptions, file?: Uint8Array): Promise<void> {
  const { archive } = await compress(file ?? tensors, options);
  add(title, archive, tensors, file ? { "": file } : {});
}

mkdirSync(BAD, { recursive: true });
if (force)
  for (const folder of [FOLDER, BAD])
    for (const name of readdirSync(folder)) if (name.endsWith(".coppice")) rmSync(path.join(folder, name));

for (const [title, { archive, tensors }] of SAMPLES) add(title, archive, tensors);
const random = new Random(2024);
const large = Uint8Array.from({ length: 20000 }, () => Math.floor(Math.abs(random.normal(2))));
await encoded("encoder, four streams", [{ name: "large", dtype: "U8", shape: [100, 200], data: large }], {
  recipe: { rules: [], contexts: "none" },
});
await encoded("encoder, network", NETWORK.slice(0, 4), { recipe: { rules: [], contexts: "all" } });
await encoded("encoder, safetensors", MIXED, { preset: "exact" }, FILES["mixed.safetensors"]);
await encoded("encoder, npz", [], { preset: "exact" }, FILES["deflated.npz"]);
await encoded("encoder, npy", [], { preset: "exact" }, FILES["columns.npy"]);

const bad: Record<string, { code: string; shell?: true }> = {};
for (const [title, { code, archive, shell }] of Object.entries(BROKEN)) {
  put(path.join(BAD, fileName(title)), archive);
  bad[fileName(title)] = { code, shell };
}
writeFileSync(path.join(FOLDER, "expected.json"), `${JSON.stringify(expected, undefined, 1)}\n`);
writeFileSync(path.join(BAD, "expected.json"), `${JSON.stringify(bad, undefined, 1)}\n`);
