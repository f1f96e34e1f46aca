import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { compress, decompress, inspect, overrideRecipe, presetRecipe } from "../src/index.js";

// What archives come to, on the files of COPPICE_DATA (or ../shared/data): every figure of docs/results.md. Usage: npm run sizes

const data = process.env.COPPICE_DATA ?? "../shared/data";
if (!existsSync(data)) {
  console.error(`There is no ${data}: set COPPICE_DATA to a folder with model files.`);
  process.exit(2);
}

function* files(folder: string): Generator<string> {
  for (const name of readdirSync(folder).sort()) {
    const file = path.join(folder, name);
    if (statSync(file).isDirectory()) yield* files(file);
    else if (/\.(safetensors|npy|npz)$/.test(name)) yield file;
  }
}

const exact: Record<string, unknown>[] = [];
const lossy: Record<string, unknown>[] = [];
for (const file of files(data)) {
  const source = new Uint8Array(readFileSync(file));
  const { archive } = await compress(source, { preset: "exact" });
  const [restored] = await decompress(archive);
  const identical = Buffer.compare(source, restored.bytes) === 0;
  exact.push({
    file: path.basename(file),
    bytes: source.length,
    archive: archive.length,
    ratio: (source.length / archive.length).toFixed(2),
    identical,
  });
  if (!file.endsWith(".safetensors")) continue;
  for (const [title, recipe] of [
    ["default", presetRecipe("default")],
    ["paper", presetRecipe("paper")],
    ["--bits 4", overrideRecipe(presetRecipe("default"), { bits: 4 })],
  ] as const) {
    const { archive, report } = await compress(source, { recipe });
    const { file: totals, tensors } = await inspect(archive);
    const dense = tensors.reduce((sum, { bytes, ratio }) => sum + bytes * ratio, 0);
    const worst = Math.min(...report.tensors.map(({ error }) => error?.snr ?? Number.POSITIVE_INFINITY));
    lossy.push({
      file: path.basename(file, ".safetensors"),
      options: title,
      archive: totals.bytes,
      ratio: (dense / totals.bytes).toFixed(2),
      survivors: totals.survivors,
      framing: framing(totals.bytes, tensors),
      "least SNR, dB": worst.toFixed(1),
    });
  }
}
console.log("preset exact");
console.table(exact);
console.log(
  "ratio: bytes of the dense tensors over bytes of the archive, every byte counted; framing: what is left of the archive without streams, codebooks and exact tensors",
);
console.table(lossy);

/** The archive without payload, codebooks and the records of exact tensors. */
function framing(
  bytes: number,
  tensors: readonly { exact: boolean; bytes: number; payloadBytes: number; codebookBytes: number }[],
): number {
  return tensors.reduce((left, t) => left - (t.exact ? t.bytes : t.payloadBytes + t.codebookBytes), bytes);
}
