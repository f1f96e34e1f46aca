import { DTYPES, type Dtype, dtypeBits, type Tensor } from "../../src/types.js";
import { floats, tensorOf } from "../archive/craft.js";
import { FILLINGS, filled } from "../codec/tensors.js";
import { concat, makeNpy, makeSafetensors } from "../formats/helpers.js";
import { bytes, constant, initializer, model, node, packed, raw, tensor } from "../formats/onnxfile.js";
import { makeTorchLegacy, makeTorchZip, type Py, tensor as torchTensor } from "../formats/pickler.js";
import { makeZip } from "../formats/zipfile.js";
import { Random } from "../random.js";

// Models made in the test: what real ones have, and what they seldom have.

const random = new Random(42);

function sharedWeights(count: number, different: number): Float32Array {
  const table = random.weights(different);
  return Float32Array.from({ length: count }, () => table[random.below(different)]);
}

/** A small network, as one would train it. */
export const NETWORK: readonly Tensor[] = [
  floats("conv1.weight", [8, 3, 3, 3], random.weights(216, 0.2)),
  floats("conv1.bias", [8], random.weights(8)),
  floats("fc1.weight", [60, 72], random.weights(4320)),
  floats("fc1.bias", [60], new Float32Array(60)),
  floats("fc2.weight", [10, 60], sharedWeights(600, 16)),
  floats("fc2.bias", [10], random.weights(10)),
];

/** Every dtype and filling, and shapes of all sorts. */
export const MIXED: readonly Tensor[] = [
  ...DTYPES.filter((dtype) => dtype !== "C128").map((dtype, i) => everyDtype(dtype, i)),
  floats("", [], [1]),
  floats("__proto__", [0, 7], []),
  floats("nan", [40], random.awkward(40)),
  floats("pruned", [100, 30], random.sparse(3000, 0.08)),
];

function everyDtype(dtype: Dtype, i: number): Tensor {
  const shape = dtypeBits(dtype) < 8 ? [8, 6] : [5, 4, 3];
  return tensorOf(`every/${dtype}`, dtype, shape, filled(random, dtype, shape, FILLINGS[i % FILLINGS.length]));
}

const METADATA = new Map([["format", "pt"]]);

const W = makeNpy("<f4", [20, 30], new Uint8Array(random.weights(600).buffer));
const COLUMNS = makeNpy(">f8", [3, 5], random.bytes(120), true);

/** A safetensors file whose header is not the canonical one. */
function spaced(): Uint8Array {
  const file = makeSafetensors(NETWORK);
  const header = new DataView(file.buffer).getUint32(0, true);
  const out = concat(file.subarray(0, 8 + header), new TextEncoder().encode("        "), file.subarray(8 + header));
  new DataView(out.buffer).setUint32(0, header + 8, true);
  return out;
}

/** The network as a graph, some of it as numbers that stay in the shell. */
function network(): Uint8Array {
  const [conv, convBias, fc1, fc1Bias, fc2, fc2Bias] = NETWORK;
  const initializers = [conv, convBias, fc1, fc1Bias, fc2, fc2Bias].map(({ name, shape, data }) =>
    initializer(tensor(name, "FLOAT", shape, name === fc1.name ? bytes(4, data) : raw(data))),
  );
  return model([
    constant("shape", tensor("", "INT64", [2], bytes(7, packed([-1n, 72])))),
    node("Conv", ["image", conv.name, convBias.name], ["conv"]),
    node("Reshape", ["conv", "shape"], ["flat"]),
    node("Gemm", ["flat", fc1.name, fc1Bias.name], ["hidden"]),
    node("Gemm", ["hidden", fc2.name, fc2Bias.name], ["logits"]),
    ...initializers,
  ]);
}
/** A checkpoint of the network, with a tensor in column-major order. */
const CHECKPOINT: Py = {
  epoch: 3,
  state_dict: Object.fromEntries(
    NETWORK.map(({ name, shape, data }, i) => [name, torchTensor({ key: String(i), count: data.length / 4, shape })]),
  ),
  turned: torchTensor({ key: String(NETWORK.length), count: 600, shape: [30, 20], strides: [1, 30] }),
};

const STORAGES: Readonly<Record<string, Uint8Array>> = Object.fromEntries(
  [...NETWORK.map(({ data }) => data), new Uint8Array(random.weights(600).buffer)].map((data, i) => [String(i), data]),
);

/** Files of all formats. */
export const FILES: Readonly<Record<string, Uint8Array>> = {
  "network.safetensors": makeSafetensors(NETWORK, METADATA),
  "mixed.safetensors": makeSafetensors(MIXED),
  "spaced.safetensors": spaced(),
  "no tensors.safetensors": makeSafetensors([], new Map()),
  "network.onnx": network(),
  "w.npy": W,
  "columns.npy": COLUMNS,
  "stored.npz": makeZip([
    { name: "w.npy", data: W },
    { name: "b.npy", data: COLUMNS },
  ]),
  "deflated.npz": makeZip([
    { name: "w.npy", data: W, level: 6 },
    { name: "b.npy", data: COLUMNS, level: 9 },
  ]),
  "checkpoint.pt": makeTorchZip(CHECKPOINT, STORAGES),
  "legacy.pt": makeTorchLegacy(CHECKPOINT, STORAGES),
};
