import type { LayerSpec, NetworkSpec } from "../../src/run/index.js";
import { field, float, number } from "../protobuf.js";

// A sequential network as an ONNX model whose weights are in a file of their own.

/** A tensor in the file of weights. */
export interface Placed {
  readonly name: string;
  readonly shape: readonly number[];
  /** Bytes. */
  readonly offset: number;
  readonly byteLength: number;
}

const FLOAT = 1;
const EXTERNAL = 1;
const [FLOAT_ATTRIBUTE, INTEGER_ATTRIBUTE, INTEGERS_ATTRIBUTE] = [1, 2, 7];

/** Numbers of what has this shape. */
export const layerShape = (shape: readonly number[] = []): number => shape.reduce((product, axis) => product * axis, 1);

function initializer({ name, shape, offset, byteLength }: Placed, file: string): Uint8Array {
  const entry = (key: string, value: string): Uint8Array => field(13, field(1, key), field(2, value));
  const place = [entry("location", file), entry("offset", String(offset)), entry("length", String(byteLength))];
  return field(5, ...shape.map((axis) => number(1, axis)), number(2, FLOAT), field(8, name), ...place, number(14, EXTERNAL));
}

/** A value of float32, a sample or what comes of it. */
function value(name: string, shape: readonly number[]): Uint8Array {
  const axes = [1, ...shape].map((axis) => field(1, number(1, axis)));
  return Buffer.concat([field(1, name), field(2, field(1, number(1, FLOAT), field(2, ...axes)))]);
}

const integer = (name: string, each: number): Uint8Array => field(5, field(1, name), number(3, each), number(20, INTEGER_ATTRIBUTE));

const integers = (name: string, ...all: readonly number[]): Uint8Array =>
  field(5, field(1, name), ...all.map((each) => number(8, each)), number(20, INTEGERS_ATTRIBUTE));

const real = (name: string, each: number): Uint8Array => field(5, field(1, name), float(2, each), number(20, FLOAT_ATTRIBUTE));

const both = (size: number | readonly [number, number]): readonly [number, number] => (typeof size === "number" ? [size, size] : size);

/** Kernel, stride and padding; the last at all four sides. */
function windows(layer: LayerSpec & { readonly type: "conv2d" | "maxpool2d" }): Uint8Array[] {
  const kernel = both(layer.kernel);
  const padding = both(layer.padding ?? 0);
  return [
    integers("kernel_shape", ...kernel),
    integers("strides", ...both(layer.stride ?? (layer.type === "conv2d" ? 1 : kernel))),
    integers("pads", ...padding, ...padding),
  ];
}

/** A layer as a node; undefined where it does nothing. @throws RangeError of a layer that neither network has */
function nodeOf(layer: LayerSpec, from: string, to: string): Uint8Array | undefined {
  const node = (operation: string, inputs: readonly string[], ...attributes: readonly Uint8Array[]): Uint8Array =>
    field(1, ...inputs.map((name) => field(1, name)), field(2, to), field(4, operation), ...attributes);
  const weighted = "name" in layer ? [from, `${layer.name}.weight`, `${layer.name}.bias`] : [from];
  switch (layer.type) {
    case "dropout":
      return undefined;
    case "relu":
      return node("Relu", [from]);
    case "flatten":
      return node("Flatten", [from]);
    case "linear":
      return node("Gemm", weighted, integer("transB", 1));
    case "conv2d":
      return node("Conv", weighted, ...windows(layer), integer("group", layer.groups ?? 1));
    case "maxpool2d":
      return node("MaxPool", [from], ...windows(layer));
    case "localresponsenorm": {
      const { size, alpha = 1e-4, beta = 0.75, k = 1 } = layer;
      return node("LRN", [from], integer("size", size), real("alpha", alpha), real("beta", beta), real("bias", k));
    }
    default:
      throw new RangeError(`a layer of type ${layer.type} is not written as ONNX here`);
  }
}

/** The bytes of the model: x is the images, y what the last layer gives. `file` is the name of the weights' file, which is in the same folder. */
export function onnxGraph(spec: NetworkSpec, tensors: readonly Placed[], file: string): Uint8Array {
  const nodes: Uint8Array[] = [];
  const layers = spec.layers.filter(({ type }) => type !== "dropout");
  let from = "x";
  for (const [i, layer] of layers.entries()) {
    const to = i === layers.length - 1 ? "y" : `layer${i}`;
    const node = nodeOf(layer, from, to);
    if (node !== undefined) nodes.push(node);
    from = to;
  }
  const outputs = [tensors[tensors.length - 1].shape[0]];
  const values = [field(11, value("x", spec.input ?? [])), field(12, value("y", outputs))];
  const graph = field(7, ...nodes, field(2, "network"), ...tensors.map((tensor) => initializer(tensor, file)), ...values);
  return Buffer.concat([number(1, 8), graph, field(8, number(2, 17))]);
}
