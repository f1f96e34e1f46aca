import { loadLayer } from "../../src/run/index.js";
import { thisMachine } from "../node/machine.js";
import { compileNative } from "../node/native.js";
import { pythonWith } from "../node/program.js";
import { summary } from "../turns.js";
import { documentOf, type LayerResult, type Loaded, type RunDocument } from "./document.js";
import { BATCHES, feedOf, LAYERS, layersFor, type Subject, subjectOf, TENSOR } from "./layers.js";
import { offers } from "./offers.js";
import { findPackage } from "./packages.js";
import { runLayer } from "./suite.js";

/** How often a layer is loaded: the first time compiles. */
const LOADS = 15;

const MOST_BATCH = Math.max(...BATCHES);

export interface RunBenchOptions {
  /** Parts of the names of layers; all unless given. */
  readonly filters?: readonly string[];
  /** How often each form is measured. */
  readonly rounds?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (text: string) => void;
}

export const RUN_ROUNDS = 15;

export function layerNames(): string[] {
  return LAYERS.map(({ name }) => name);
}

async function loadedOf({ archive, layer: shape }: Subject): Promise<Loaded> {
  const times: number[] = [];
  for (let i = 0; i < LOADS; i++) {
    const start = performance.now();
    const layer = await loadLayer(archive, TENSOR);
    times.push(performance.now() - start);
    layer.dispose();
  }
  const layer = await loadLayer(archive, TENSOR);
  const { byteLength, survivors, inputs, outputs } = layer;
  const { x, batch } = feedOf(shape, MOST_BATCH);
  layer.matmul(x.subarray(0, batch * inputs), batch, new Float32Array(batch * outputs));
  const loaded = { archiveBytes: archive.length, byteLength, batchByteLength: layer.byteLength, survivors, ...summary(times) };
  layer.dispose();
  return loaded;
}

/** Versions of what is compared besides this package. */
async function peerVersions(): Promise<Record<string, string>> {
  const left = "left out, not found";
  return {
    "onnxruntime-node": findPackage("onnxruntime-node")?.version ?? left,
    "onnxruntime-web": findPackage("onnxruntime-web")?.version ?? left,
    SciPy: (await pythonWith("scipy"))?.version ?? left,
  };
}

/** @throws RangeError where no layer has such a name */
export async function benchRun({ filters = [], rounds = RUN_ROUNDS, signal, onProgress }: RunBenchOptions = {}): Promise<RunDocument> {
  const layers = layersFor(filters);
  if (layers.length === 0) throw new RangeError(`no layer is called ${filters.join(" or ")}; there are: ${layerNames().join(", ")}`);
  onProgress?.("compiling the native kernels");
  const native = await compileNative();
  const machine = thisMachine(typeof native === "string" ? `left out, ${native}` : native.compiler);
  try {
    const forms = offers(native);
    const results: LayerResult[] = [];
    for (const layer of layers) {
      onProgress?.(`${layer.name}: weights`);
      const subject = await subjectOf(layer);
      signal?.throwIfAborted();
      const loaded = await loadedOf(subject);
      results.push({ layer, loaded, ...(await runLayer(subject, forms, { rounds, signal, onProgress })) });
    }
    return documentOf(machine, await peerVersions(), rounds, results);
  } finally {
    if (typeof native !== "string") await native.close();
  }
}
