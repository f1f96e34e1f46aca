import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { coarser, distinctPoints } from "../src/codec/points.js";
import { compressFile, decode } from "../src/index.js";
import type { FloatDtype } from "../src/kernel-types.js";
import { engineKernels } from "../src/kernels/engine-kernels.js";
import { isFloatDtype, type Tensor } from "../src/types.js";

// node scripts/run.mjs bench/per-channel.ts: what codebooks of a tensor's own channels would save, error and bits weighed, over one codebook a tensor. Rows, columns or the last axis are put in order of their spread and cut into 2, 4 or 8
// groups; each group's codebook and code lengths are paid for, and the number of each channel's group. The files are those of COPPICE_DATA (../shared/data unless set).

const FILES = [
  "lenet/lenet-300-100.dense.safetensors",
  "lenet/lenet-5.dense.safetensors",
  "resnet-cifar10/resnet20-cifar10.onnx",
  "resnet-cifar10/resnet32-cifar10.onnx",
  "squeezenet/squeezenet-v1.1-fp16.onnx",
  "mnist-cntk-onnx/mnist.onnx",
  "doodlenet-tfjs/model.json",
  "faceapi-mtcnn-tfjs/mtcnn_model-weights_manifest.json",
  "ultraface/version-RFB-320.onnx",
  "silero-vad/silero_vad_16k.safetensors",
];
const TRADEOFF = 0.006;
const GROUPS = [2, 4, 8];
const CODEBOOK_BITS = 22;
const LEAST_WEIGHTS = 200;

const kernels = engineKernels();

/** Error over what a bit may cost, and bits; and the bits alone. */
function cost(values: Float32Array, perBit: number): { cost: number; bits: number } {
  const points = coarser(distinctPoints([values]), 1024);
  const ends = kernels.rateCells(points.values, points.weights, perBit, CODEBOOK_BITS);
  let [error, bits, from] = [0, 0, 0];
  for (const to of ends) {
    let [weight, sum, squares] = [0, 0, 0];
    for (let i = from; i < to; i++) {
      weight += points.weights[i];
      sum += points.weights[i] * points.values[i];
      squares += points.weights[i] * points.values[i] ** 2;
    }
    error += squares - sum ** 2 / weight;
    bits += weight * Math.log2(values.length / weight) + CODEBOOK_BITS;
    from = to;
  }
  return { cost: error / perBit + bits, bits };
}

const squaresOf = (values: ArrayLike<number>): number => Array.from(values).reduce((sum, value) => sum + value * value, 0);

/** The weights of each index along an axis. */
function channelsOf(values: Float32Array, shape: readonly number[], axis: number): Float32Array[] {
  const inner = shape.slice(axis + 1).reduce((product, length) => product * length, 1);
  const channels: number[][] = Array.from({ length: shape[axis] }, () => []);
  for (const [i, value] of values.entries()) channels[Math.floor(i / inner) % shape[axis]].push(value);
  return channels.map((channel) => Float32Array.from(channel));
}

function grouped(channels: readonly Float32Array[], groups: number, perBit: number): number {
  const inOrder = [...channels].sort((a, b) => squaresOf(a) / a.length - squaresOf(b) / b.length);
  let sum = Math.log2(groups) * channels.length;
  for (let g = 0; g < groups; g++) {
    const part = inOrder.slice(Math.round((g * channels.length) / groups), Math.round(((g + 1) * channels.length) / groups));
    sum += cost(Float32Array.from(part.flatMap((channel) => [...channel])), perBit).cost;
  }
  return sum;
}

function isWeight({ dtype, shape, data }: Tensor): boolean {
  return isFloatDtype(dtype) && shape.filter((axis) => axis > 1).length >= 2 && data.length > 4 * LEAST_WEIGHTS;
}

for (const name of FILES) {
  const file = path.join(process.env["COPPICE_DATA"] ?? "../shared/data", name);
  if (!existsSync(file)) continue;
  const archive = path.join("build", "per-channel.coppice");
  await compressFile(file, archive, { preset: "exact", force: true });
  const tensors = decode(new Uint8Array(readFileSync(archive))).filter(isWeight);
  const all = tensors.map(({ dtype, shape, data }) => ({ shape, values: kernels.toFloat32(data, dtype as FloatDtype) }));
  const mean = all.reduce((sum, { values }) => sum + values.length / all.length, 0);
  let [saved, bits] = [0, 0];
  for (const { shape, values } of all) {
    const perBit = (TRADEOFF * Math.min(4, values.length / mean) * squaresOf(values)) / values.length;
    if (perBit === 0) continue;
    const whole = cost(values, perBit);
    let best = whole.cost;
    for (const axis of new Set([0, 1, shape.length - 1])) {
      const channels = channelsOf(values, shape, axis);
      for (const groups of GROUPS) if (2 * groups <= channels.length) best = Math.min(best, grouped(channels, groups, perBit));
    }
    saved += whole.cost - best;
    bits += whole.bits;
  }
  console.log(`${name}: ${((100 * saved) / bits).toFixed(2)} % of ${Math.round(bits / 8)} bytes`);
}
