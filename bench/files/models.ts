import { closeSync, openSync, writeSync } from "node:fs";
import type { Recipe } from "../../src/index.js";
import { denseWeights, deviationOf, fillNormal, normalState, pruneAndShare, seedOf, thresholdFor } from "../corpus.js";
import { NETWORKS, type NetworkName, weightCount } from "../networks.js";

// Model files with the shapes of the published networks, and the recipes that treat them as Deep Compression does.

interface Shape {
  readonly name: string;
  readonly shape: readonly number[];
}

/** Writes a safetensors file of float32 tensors, each made when its turn comes. */
function writeSafetensors(
  file: string,
  tensors: readonly Shape[],
  fill: (index: number, write: (part: Float32Array) => void) => void,
): void {
  const header: Record<string, object> = {};
  let end = 0;
  for (const { name, shape } of tensors) {
    const start = end;
    end += 4 * weightCount({ shape });
    header[name] = { dtype: "F32", shape, data_offsets: [start, end] };
  }
  const text = JSON.stringify(header);
  const padded = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  writeFile(file, (write) => {
    write(length);
    write(padded);
    for (let i = 0; i < tensors.length; i++) fill(i, (part) => write(bytesOf(part)));
  });
}

/** Writes a file in parts, each made when its turn comes. */
export function writeFile(file: string, body: (write: (bytes: Uint8Array) => void) => void): void {
  const fd = openSync(file, "w");
  try {
    body((bytes) => {
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, Math.min(bytes.length - at, 1 << 30));
    });
  } finally {
    closeSync(fd);
  }
}

export function bytesOf(part: Float32Array): Uint8Array {
  return new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
}

/**
 * Writes a network: of each layer a matrix or a convolution, and a bias.
 *
 * @param shared the weights pruned and shared already, instead of as training leaves them
 * @returns what makes the shared file's tensors of the other's: thresholds given, 8 bits for convolutions and 5 for matrices
 */
export function writeNetwork(network: NetworkName, file: string, shared: boolean): Recipe {
  const layers = NETWORKS[network];
  const rules: Recipe["rules"][number][] = [];
  const tensors = layers.flatMap(({ name, shape }) => [
    { name: `${name}.weight`, shape },
    { name: `${name}.bias`, shape: [shape[0]] },
  ]);
  writeSafetensors(file, tensors, (index, write) => {
    const layer = layers[index >> 1];
    if (index % 2 === 1) {
      const bias = new Float32Array(layer.shape[0]);
      fillNormal(bias, 0.1, normalState(seedOf({ name: `${layer.name}.bias`, shape: layer.shape })));
      return write(bias);
    }
    const weights = denseWeights(layer);
    const threshold = shared ? pruneAndShare(weights, layer) : thresholdFor(weights, layer.density);
    rules.push({ match: `${layer.name}.weight`, prune: { threshold }, share: { bits: layer.bits, init: "linear" } });
    write(weights);
  });
  return { rules };
}

/** Rows and columns of each synthetic tensor: 256 MB of float32. */
export const SIDE = 8000;
const CHUNK = 1 << 20;
const SYNTHETIC_DENSITY = 0.1;

export function syntheticName(index: number): string {
  return `layer.${index}.weight`;
}

/** Makes the weights of a synthetic tensor, in parts; gives the threshold that leaves a tenth of them. */
export function writeSyntheticTensor(index: number, write: (part: Float32Array) => void): number {
  const deviation = deviationOf({ shape: [SIDE, SIDE] });
  const chunk = new Float32Array(CHUNK);
  let state = normalState(index + 1);
  let threshold = 0;
  for (let left = SIDE * SIDE; left > 0; left -= CHUNK) {
    state = fillNormal(chunk, deviation, state);
    threshold ||= thresholdFor(chunk, SYNTHETIC_DENSITY);
    write(chunk.subarray(0, Math.min(CHUNK, left)));
  }
  return threshold;
}

/** Prunes synthetic tensors to a tenth, and shares 32 weights. */
export function syntheticRecipe(threshold: number): Recipe {
  return { rules: [{ minRank: 2, prune: { threshold }, share: { bits: 5, init: "linear" } }] };
}

/** Writes a file of `count` synthetic tensors; returns the recipe for them. */
export function writeSynthetic(file: string, count: number): Recipe {
  const tensors = Array.from({ length: count }, (_, i) => ({ name: syntheticName(i), shape: [SIDE, SIDE] }));
  let threshold = 0;
  writeSafetensors(file, tensors, (index, write) => {
    const found = writeSyntheticTensor(index, write);
    threshold ||= found;
  });
  return syntheticRecipe(threshold);
}
