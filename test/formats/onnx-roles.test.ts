import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { compress } from "../../src/index.js";
import { dataFile, NO_DATA } from "../data.js";
import { concat, floats } from "./helpers.js";
import { bytes, constant, graphAttribute, initializer, model, names, node, open, raw, tensor, w, weights } from "./onnxfile.js";

describe("the role of a tensor", () => {
  const V = ["a", "b", "c"].map((name) => initializer(w(name)));
  const roles = async (...graph: readonly Uint8Array[]): Promise<string[]> => weights(await open(model([...graph, ...V])));

  it.each([
    ["Conv", ["x", "a", "b"], ["a"]],
    ["ConvTranspose", ["x", "a", "b"], ["a"]],
    ["Gemm", ["x", "a", "b"], ["a"]],
    ["Gemm", ["a", "x", "b"], ["a"]],
    ["MatMul", ["a", "b"], ["a", "b"]],
    ["LSTM", ["x", "a", "b", "c"], ["a", "b"]],
    ["GRU", ["x", "a", "b", "c"], ["a", "b"]],
    ["RNN", ["x", "a", "b", "c"], ["a", "b"]],
    ["Gather", ["a", "b"], ["a"]],
    ["BatchNormalization", ["x", "a", "b", "c"], []],
    ["LayerNormalization", ["x", "a", "b"], []],
    ["Add", ["a", "b"], []],
    ["Reshape", ["x", "a"], []],
    ["Conv", ["x", ""], []],
    ["Conv", ["x"], []],
    ["constructor", ["a", "b"], []],
  ])("is told by the input of %s that it is: %j", async (operator, inputs, wanted) => {
    expect(await roles(node(operator, inputs, ["y"]))).toEqual(wanted);
  });

  it("is that of another form of it", async () => {
    const forms = ["Identity", "Transpose", "Cast", "DequantizeLinear", "Reshape", "Unsqueeze", "Slice"];
    const chain = forms.map((form, i) => node(form, [i === 0 ? "a" : `t${i}`, "b"], [`t${i + 1}`]));
    expect(await roles(...chain, node("Conv", ["x", `t${forms.length}`], ["y"]))).toEqual(["a"]);
    expect(await roles(node("Concat", ["a", "b"], ["t"]), node("LSTM", ["x", "t"], ["y"]))).toEqual(["a", "b"]);
    expect(await roles(node("Split", ["a"], ["t", "u"]), node("MatMul", ["x", "u"], ["y"]))).toEqual(["a"]);
    expect(await roles(node("Mul", ["a", "b"], ["t"]), node("Conv", ["x", "t"], ["y"]))).toEqual([]);
    expect(await roles(node("Identity", ["u"], ["t"]), node("Identity", ["t"], ["u"]), node("Conv", ["x", "t"], ["y"]))).toEqual([]);
  });

  it("is told by nodes before it and behind it, and by operators of other domains", async () => {
    const file = model([initializer(w("a")), node("FusedConv", ["x", "a"], ["y"], { domain: "com.microsoft" })]);
    expect(weights(await open(file))).toEqual(["a"]);
    expect(weights(await open(model([node("Conv", ["x", "k"], ["y"], { domain: "ai.onnx" }), constant("k", w(""))])))).toEqual(["k"]);
  });

  it("reaches into graphs in the graph, where a name means what is nearest", async () => {
    const branch = graphAttribute("then_branch", initializer(w("b")), node("Conv", ["x", "a"], ["y"]), node("Conv", ["x", "b"], ["z"]));
    expect(await roles(node("If", ["c"], ["y"], { attributes: [branch] }))).toEqual(["then_branch/b", "a"]);
  });

  it("reaches through the inputs of functions that call functions, and ends where they call themselves", async () => {
    const fn = (name: string, inputs: readonly string[], ...body: readonly Uint8Array[]): Uint8Array =>
      bytes(25, concat(bytes(1, name), ...inputs.map((input) => bytes(4, input)), ...body, bytes(10, "local")));
    const at = { domain: "local" };
    const inner = fn("inner", ["i", "j", "k"], node("Transpose", ["k"], ["t"], {}, 7), node("MatMul", ["i", "t"], ["y"], {}, 7));
    const outer = fn("outer", ["i", "j"], node("inner", ["q", "i", "j"], ["y"], at, 7), node("outer", ["i", "j"], ["z"], at, 7));
    const called = [node("outer", ["a", "b"], ["y"], at), node("inner", ["x", "a"], ["z"], at), ...V];
    expect(weights(await open(model(called, outer, inner)))).toEqual(["b"]);
    expect(weights(await open(model(called, inner, outer)))).toEqual(["b"]);
  });

  it.each(["LSTM", "GRU", "RNN", "Scan", "Loop"])(
    "is that of a recurrent model where a node is %s, wherever it stands",
    async (operator) => {
      const conv = node("Conv", ["x", "a"], ["y"]);
      const recurrent = node(operator, ["x"], ["z"]);
      const nested = graphAttribute("then_branch", node("If", ["c"], ["z"], { attributes: [graphAttribute("else_branch", recurrent)] }));
      const fn = bytes(25, concat(bytes(1, "f"), node(operator, ["x"], ["z"], {}, 7), bytes(10, "local")));
      const files = [
        model([conv, recurrent, ...V]),
        model([node("If", ["c"], ["z"], { attributes: [nested] }), conv, ...V]),
        model([conv, ...V], fn),
      ];
      for (const file of files) {
        const opened = await open(file);
        expect(names(opened).map((_, i) => opened.role?.(i))).toEqual(["recurrent", "other", "other"]);
      }
      const other = await open(model([conv, node("Sigmoid", ["x"], [operator]), ...V]));
      expect(names(other).map((_, i) => other.role?.(i))).toEqual(["weight", "other", "other"]);
    },
  );

  it("is that of a recurrent model for silero-vad, and for no other real one", async (context) => {
    for (const name of ["silero-vad/silero_vad_16k_op15", "ultraface/version-RFB-320", "lenet/lenet-5.dense", "mnist-cntk-onnx/mnist"]) {
      const path = dataFile(`${name}.onnx`);
      if (!path) return context.skip(NO_DATA);
      const opened = await open(new Uint8Array(readFileSync(path)));
      const roles = new Set(names(opened).map((_, i) => opened.role?.(i)));
      expect([...roles].sort(), name).toEqual(["other", name.startsWith("silero") ? "recurrent" : "weight"]);
    }
  });

  it("decides what the presets share", async () => {
    const large = floats(4000);
    const matrix = (name: string): Uint8Array => initializer(tensor(name, "FLOAT", [40, 100], raw(large)));
    const file = model([node("MatMul", ["x", "a"], ["y"]), node("Add", ["y", "b"], ["z"]), matrix("a"), matrix("b")]);
    for (const preset of ["default", "paper"] as const) {
      const { report } = await compress(file, { preset });
      expect(report.tensors.map(({ name, exact }) => [name, exact])).toEqual([
        ["a", false],
        ["b", true],
      ]);
    }
    const { report } = await compress(file, { recipe: { rules: [{ minRank: 2, share: { bits: 4 } }] } });
    expect(report.tensors.map(({ exact }) => exact)).toEqual([false, false]);
  });

  it("is that of a convolution, a matrix or a recurrent layer in real models", async (context) => {
    const wanted: Readonly<Record<string, RegExp>> = {
      "silero-vad/silero_vad_16k_op15.onnx": /weight|forward_basis/,
      "ultraface/version-RFB-320.onnx":
        /(conv|_net\.(0\.0|\d+\.[03])|headers\.\d\.[02]|headers\.3|extras\.0\.[024]|extras\.0\.2\.[02])\.weight$/,
      "lenet/lenet-5.dense.onnx": /weight$/,
      "squeezenet/squeezenet-v1.1-fp16.onnx": /_w_0$/,
      "mnist-cntk-onnx/mnist.onnx": /^Parameter(5|87|193)$/,
    };
    for (const [name, pattern] of Object.entries(wanted)) {
      const path = dataFile(name);
      if (!path) return context.skip(NO_DATA);
      const opened = await open(new Uint8Array(readFileSync(path)));
      expect(weights(opened), name).toEqual(names(opened).filter((tensor) => pattern.test(tensor)));
    }
  });
});
