import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { bytesSource, openModel } from "../../src/formats/index.js";
import { describesRecurrence, namesRecurrence, rolesOf } from "../../src/formats/recurrent.js";
import { compress } from "../../src/index.js";
import type { Role, Tensor, TensorInfo } from "../../src/types.js";
import { floats as tensorOfFloats } from "../archive/craft.js";
import { safetensors } from "../cli/cli.js";
import { dataFile, NO_DATA } from "../data.js";
import { Random } from "../random.js";
import { ascii, floats, openFiles } from "./helpers.js";

const infos = (...names: readonly string[]): TensorInfo[] => names.map((name) => ({ name, dtype: "F32", shape: [4, 4] }));

describe("a model is known to be recurrent", () => {
  it.each([
    "weight_hh",
    "decoder.rnn.weight_hh",
    "lstm.weight_hh_l0",
    "encoder.gru.weight_hh_l3_reverse",
    "model.lstm.parametrizations.weight_hh_l0.original1",
    "rnn/weight_hh_l0",
    "lstm.weight_hh_l0_g",
    "lstm_1/recurrent_kernel",
    "model_weights/lstm/lstm/lstm_cell/recurrent_kernel:0",
    "layers/lstm/cell/vars/1",
    "layers/bidirectional/forward_layer/cell/vars/0",
  ])("by a tensor named %s", (name) => expect(namesRecurrence(infos("conv.weight", name))).toBe(true));

  it.each([
    "weight_ih_l0",
    "my_weight_hh",
    "weight_hhx",
    "conv.weight",
    "recurrent_kernels",
    "layers/dense/vars/0",
    "layers/supercell/vars/0",
    "lstm.bias_hh_l0",
    "kernel",
  ])("not by a tensor named %s", (name) => expect(namesRecurrence(infos("conv.weight", name))).toBe(false));

  it.each([
    ['{"class_name": "LSTM"}', true],
    ['{"class_name":"ConvLSTM2D"}', true],
    ['{"class_name" : "SimpleRNN"}', true],
    ['{"class_name":"GRUCell"}', true],
    ['{"op":"While"}', true],
    ['{"op":"StatelessWhile"}', true],
    ['{"op":"NextIteration"}', true],
    ['{"op":"Conv2D","name":"LSTM/While"}', false],
    ['{"name":"LSTM"}', false],
    ['{"text":"\\"op\\":\\"While\\""}', false],
    ['{"class_name":"Dense"}', false],
    ['{"class_name":"FasterRCNN"}', false],
  ])("by what its JSON describes: %s, %s", (json, recurrent) => expect(describesRecurrence(ascii(json))).toBe(recurrent));
});

describe("the roles of a recurrent model's tensors", () => {
  const tensors: TensorInfo[] = [...infos("conv.weight", "rnn.weight_hh_l0"), { name: "rnn.bias_hh_l0", dtype: "F32", shape: [4] }];

  it("are that of its weights, where nothing tells of all that have two axes", () => {
    expect([0, 1, 2].map(rolesOf(tensors))).toEqual(["recurrent", "recurrent", undefined]);
    const told: readonly Role[] = ["other", "weight", "weight"];
    expect([0, 1, 2].map(rolesOf(tensors, (tensor) => told[tensor]))).toEqual(["other", "recurrent", "recurrent"]);
  });

  it("are what the format tells, of other models", () => {
    const feedForward = [tensors[0], tensors[2]];
    expect([0, 1].map(rolesOf(feedForward))).toEqual([undefined, undefined]);
    expect([0, 1].map(rolesOf(feedForward, () => "weight"))).toEqual(["weight", "weight"]);
  });
});

describe("the default preset", () => {
  const random = new Random(6);
  const layer = (name: string): Tensor => tensorOfFloats(name, [80, 60], random.weights(4800));
  /** Weights that have at most 256 different values are shared. */
  const isShared = async (tensors: readonly Tensor[] | Uint8Array): Promise<boolean[]> => {
    const { report } = await compress(tensors, {});
    return report.tensors.map(({ codebook }) => codebook > 0);
  };

  it("shares no weight of a recurrent model: tensors, safetensors", async () => {
    const recurrent = [layer("conv.weight"), layer("rnn.weight_hh_l0")];
    const other = [layer("conv.weight"), layer("rnn.weight_ih_l0")];
    for (const given of [recurrent, safetensors(recurrent)]) expect(await isShared(given)).toEqual([false, false]);
    for (const given of [other, safetensors(other)]) expect(await isShared(given)).toEqual([true, true]);
  });

  it("shares none of a TF.js model either that has such a layer, whatever its weights are named", async () => {
    const roles = async (layerClass: string): Promise<(Role | undefined)[]> => {
      const manifest = [{ paths: ["w.bin"], weights: [{ name: "a", dtype: "float32", shape: [4, 3] }] }];
      const topology = { class_name: "Sequential", config: { layers: [{ class_name: layerClass }] } };
      const json = JSON.stringify({ format: "layers-model", modelTopology: topology, weightsManifest: manifest });
      const model = await openFiles({ "model.json": ascii(json), "w.bin": floats(12) });
      return model.tensors.map((_, i) => model.role?.(i));
    };
    expect(await roles("LSTM")).toEqual(["recurrent"]);
    expect(await roles("Dense")).toEqual(["weight"]);
  });

  it("rounds silero-vad's weights, out of its safetensors file too", async (context) => {
    const file = dataFile("silero-vad/silero_vad_16k.safetensors");
    if (!file) return context.skip(NO_DATA);
    const model = await openModel(bytesSource(new Uint8Array(readFileSync(file))));
    const weights = model.tensors.filter((_, i) => model.role?.(i) === "recurrent");
    expect(weights.every(({ shape }) => shape.length >= 2)).toBe(true);
    expect(weights.length).toBeGreaterThan(5);
    const { report } = await compress(file, {});
    // Half a unit of the ninth bit, relative, is 54 dB, and uniform errors are 4.8 dB better.
    for (const { exact, error } of report.tensors) if (!exact) expect(error!.snr).toBeGreaterThan(54);
  });
});
