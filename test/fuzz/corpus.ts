import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { safetensorsHeader } from "../../src/archive/safetensors-header.js";
import { compress } from "../../src/index.js";
import type { Tensor } from "../../src/types.js";
import { craftArchive, floats, tensorOf } from "../archive/craft.js";
import { SAMPLES } from "../archive/samples.js";
import { addDataset, makeH5 } from "../formats/h5file.js";
import { makeNpy } from "../formats/helpers.js";
import { bytes, constant, external, graphAttribute, initializer, model, node, raw, tensor } from "../formats/onnxfile.js";
import { makeTorchLegacy, makeTorchZip, type Py, tensor as torchTensor } from "../formats/pickler.js";
import { makeZip } from "../formats/zipfile.js";
import { Random } from "../random.js";
import { type Piece, piecesOf, type Shelled, shelledOf } from "./mutate.js";

/** What mutants are made of. */
export interface Corpus {
  readonly archives: readonly Uint8Array[];
  readonly pieces: readonly Piece[];
  /** Those of the archives that have files. */
  readonly shells: readonly Shelled[];
  readonly models: readonly Uint8Array[];
  /** Whatever file a model names beside it. */
  readonly shard: Uint8Array;
}

/** Symbols from which four streams are decoded in another way than fewer are. */
const MANY = 1 << 15;

/** Small inputs are tried more often in the same time, and reach as much. */
const MOST_BYTES = 4096;

/**
 * The golden archives, small archives of every feature, archives as the encoder writes them, and model files.
 *
 * @param goldenFolder test/golden
 */
export async function corpus(goldenFolder: string): Promise<Corpus> {
  const random = new Random(31);
  const tensors: readonly Tensor[] = [
    floats("layers.0.weight", [6, 10], random.weights(60)),
    floats("layers.0.bias", [6], random.weights(6)),
    floats("layers.1.weight", [5, 3, 2, 2], random.sparse(60, 0.3)),
    tensorOf("layers.1.steps", "I64", [], random.bytes(8)),
  ];
  // Names that share prefixes and tails with names far back.
  const named = Array.from({ length: 40 }, (_, i) =>
    tensorOf(`blocks.${i % 7}.${i}.${["weight", "bias"][i % 2]}`, "U8", [2], random.bytes(2)),
  );
  const data = new Uint8Array(random.weights(30).buffer);
  const w = makeNpy("<f4", [5, 6], data);
  const b = makeNpy(">f8", [3, 5], random.bytes(120), true);
  const branch = graphAttribute("then_branch", initializer(tensor("w", "FLOAT", [5, 6], raw(data))), node("Conv", ["x", "w"], ["y"]));
  const onnx = [
    node("If", ["c"], ["y"], { attributes: [branch] }),
    constant("k", tensor("", "INT64", [8], raw(random.bytes(64)))),
    node("MatMul", ["k", "w"], ["y"]),
    initializer(tensor("w", "FLOAT", [5, 6], bytes(4, data))),
  ];
  const state: Py = {
    "fc.weight": torchTensor({ count: 30, shape: [5, 6] }),
    turned: [
      torchTensor({ key: "1", count: 12, shape: [4, 2], strides: [1, 4] }),
      torchTensor({ key: "1", count: 12, first: 8, shape: [3] }),
    ],
  };
  const storages = { 0: data, 1: data.subarray(0, 48) };
  const h5 = (
    [
      ["earliest", 2],
      ["v108", 12],
    ] as const
  ).map(([libver, more]) =>
    makeH5((file) => {
      addDataset(file, "layers/dense/vars/0", { data: random.weights(30), shape: [5, 6] });
      for (let i = 0; i < more; i++) file.create_dataset({ name: `v${i}`, data: random.weights(2), shape: [2] });
    }, libver),
  );
  const shard = new Uint8Array(Buffer.concat([safetensorsHeader([tensors[1]]), tensors[1].data]));
  const models = [
    model(onnx),
    new Uint8Array(Buffer.concat([safetensorsHeader(tensors, new Map([["format", "pt"]])), ...tensors.map((tensor) => tensor.data)])),
    shard,
    w,
    b,
    makeZip([
      { name: "w.npy", data: w },
      { name: "b.npy", data: b },
    ]),
    makeZip([
      { name: "w.npy", data: w, level: 6, zip64: true },
      { name: "b.npy", data: b, level: 1 },
    ]),
    makeTorchZip(state, storages, { byteorder: "little" }),
    makeTorchLegacy(state, storages),
    ...h5,
    makeZip([{ name: "model.weights.h5", data: h5[0] }]),
  ];
  const written: Uint8Array[] = [];
  for (const preset of ["exact", "default", "paper"] as const) {
    written.push((await compress(tensors, { preset })).archive);
    for (const model of models) written.push((await compress(model, { preset })).archive);
  }
  models.push(...manifests(shard.length));
  written.push((await compress(tensors, { recipe: { rules: [{ share: { bits: 3 } }], contexts: "all" } })).archive);
  written.push((await compress(named, { preset: "exact" })).archive);
  const golden = readdirSync(goldenFolder)
    .filter((name) => name.endsWith(".coppice"))
    .sort()
    .map((name) => new Uint8Array(readFileSync(path.join(goldenFolder, name))));
  const samples = [...SAMPLES.values()].map(({ archive }) => archive);
  const archives = [...[...samples, ...golden, ...written].filter(({ length }) => length <= MOST_BYTES), ...longArchives(random)];
  // A model that needs another file beside it is opened with one, and so is none of those that are compressed here.
  const beside = model([...onnx, initializer(tensor("e", "FLOAT", [5, 6], external({ location: "w.data", offset: 4, length: 120 })))]);
  return { archives, pieces: archives.flatMap(piecesOf), shells: archives.flatMap(shelledOf), models: [...models, beside], shard };
}

/** Models that name other files: an index whose one shard is `shard`, and TF.js weights over two of them. */
function manifests(shardBytes: number): Uint8Array[] {
  const quantization = { dtype: "uint8", min: -1.5, scale: 2e-3 };
  const weights = [
    { name: "a", shape: [2, 3], dtype: "float32" },
    { name: "b", shape: [40], dtype: "float32", quantization },
    { name: "c", shape: [], dtype: "int32" },
    { name: "over", shape: [shardBytes], dtype: "bool" },
    { name: "text", shape: [1], dtype: "string" },
  ];
  const topology = { layers: [{ name: "a", rate: 0.5, axes: [null, -1, true] }] };
  return [
    { metadata: { total_size: 24 }, weight_map: { "layers.0.bias": "model-1.safetensors" } },
    { modelTopology: topology, weightsManifest: [{ paths: ["1.bin", "sub/2.bin"], weights: weights.slice(0, 4) }] },
    [
      { paths: ["1.bin"], weights: weights.slice(0, 2) },
      { paths: ["2"], weights: weights.slice(4) },
    ],
  ].map((json) => new Uint8Array(Buffer.from(JSON.stringify(json))));
}

/** Archives with long streams, which take few bytes for it. */
function longArchives(random: Random): Uint8Array[] {
  const codes = random.symbols(MANY + 45, 5, 0.2);
  const gaps = random.symbols(MANY + 7, 8, 0.1);
  const sparse = new Uint8Array(gaps.reduce((sum, gap) => sum + gap + 1, 0));
  let at = -1;
  for (const gap of gaps) sparse[(at += gap + 1)] = 9;
  return [
    craftArchive([{ ...tensorOf("codes", "U8", [codes.length], codes), coding: "dense", codebook: "listed", ways: [3] }]),
    craftArchive([
      { ...tensorOf("gaps", "U8", [sparse.length], sparse), coding: "sparse", codebook: "listed", gapParameter: 3, ways: [3, 1] },
    ]),
  ];
}
