import { writeFile } from "node:fs/promises";
import path from "node:path";
import { compress } from "../../src/index.js";
import { denseWeights, fillNormal, normalState, pruneAndShare, seedOf } from "../corpus.js";
import type { WholeNetwork } from "./networks.js";
import { layerShape, onnxGraph, type Placed } from "./onnx-graph.js";

/** A network with weights, in both of the ways that forms take it, and the images that go in. */
export interface WholeSubject {
  readonly network: WholeNetwork;
  readonly archive: Uint8Array;
  /** Of the graph, whose weights are in a file beside it. */
  readonly onnxFile: string;
  readonly weightsFile: string;
  /** Bytes of all weights and biases in float32. */
  readonly denseBytes: number;
  /** f32[IMAGES][inputs] */
  readonly images: Float32Array;
}

/** So many that no branch predictor learns one by heart. */
export const IMAGES = 4;

export const WEIGHTS_FILE = "weights.bin";

/** Biases of trained networks are small. */
const BIAS_DEVIATION = 0.1;

/** Makes a network's weights, pruned and shared as Deep Compression has them, and writes its ONNX files into a folder. The archive keeps what is shared exactly: every form has the same weights. */
export async function wholeSubjectOf(network: WholeNetwork, folder: string): Promise<WholeSubject> {
  const tensors: { name: string; dtype: "F32"; shape: readonly number[]; data: Uint8Array }[] = [];
  for (const layer of network.layers) {
    const weights = denseWeights(layer);
    pruneAndShare(weights, layer);
    // What pruning takes of the variance, the survivors of a trained network make good: activations neither grow nor vanish.
    const bias = new Float32Array(layer.shape[0]);
    fillNormal(bias, BIAS_DEVIATION, normalState(seedOf({ name: `${layer.name}.bias`, shape: [bias.length] })));
    tensors.push({ name: `${layer.name}.weight`, dtype: "F32", shape: layer.shape, data: new Uint8Array(weights.buffer) });
    tensors.push({ name: `${layer.name}.bias`, dtype: "F32", shape: [bias.length], data: new Uint8Array(bias.buffer) });
  }
  const { archive } = await compress(tensors, { preset: "exact", threads: 1 });
  const placed: Placed[] = [];
  let denseBytes = 0;
  for (const { name, shape, data } of tensors) {
    placed.push({ name, shape, offset: denseBytes, byteLength: data.length });
    denseBytes += data.length;
  }
  const [onnxFile, weightsFile] = [`${network.name}.onnx`, WEIGHTS_FILE].map((name) => path.join(folder, name));
  await writeFile(onnxFile, onnxGraph(network.spec, placed, WEIGHTS_FILE));
  await writeFile(
    weightsFile,
    tensors.map(({ data }) => data),
  );
  const inputs = layerShape(network.spec.input);
  const images = new Float32Array(IMAGES * inputs);
  fillNormal(images, 1, normalState(seedOf({ name: `images of ${network.name}`, shape: [inputs] })));
  return { network, archive, onnxFile, weightsFile, denseBytes, images };
}
