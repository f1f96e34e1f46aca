import type { Onnx, OnnxBody, OnnxNode, OnnxScope, OnnxValue } from "./onnx-graph.js";

/** The inputs that are weights, of the operators that have some: convolutions, matrices, recurrent layers, embeddings. Those of other domains have their names. */
const WEIGHTS: Readonly<Record<string, readonly number[]>> = {
  Conv: [1],
  ConvTranspose: [1],
  DeformConv: [1],
  FusedConv: [1],
  NhwcFusedConv: [1],
  Gemm: [0, 1],
  FusedGemm: [0, 1],
  MatMul: [0, 1],
  FusedMatMul: [0, 1],
  TransposeMatMul: [0, 1],
  GemmFastGelu: [1],
  Attention: [1],
  LSTM: [1, 2],
  GRU: [1, 2],
  RNN: [1, 2],
  Gather: [0],
  EmbedLayerNormalization: [2, 3, 4],
};

/** Operators that give their first input, or parts of it, in another form. */
const FORMS: ReadonlySet<string> = new Set([
  ...["Identity", "Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Slice", "Split"],
  ...["Cast", "CastLike", "QuantizeLinear", "DequantizeLinear"],
]);

/** That which puts parts together: exporters reorder the gates of a recurrent layer so. */
const CONCAT = "Concat";

/** Operators that take what they gave before, so that errors feed back. */
const RECURRENT: ReadonlySet<string> = new Set(["LSTM", "GRU", "RNN", "Scan", "Loop", "DynamicQuantizeLSTM", "AttnLSTM"]);

/** Functions call functions; real ones, a few deep. */
const MAX_CALLS = 64;

/** The tensors that a node of the model uses as weights: by themselves, in another form, or through a function's input. */
export function weightsOf(onnx: Onnx): ReadonlySet<number> {
  const uses = new Uses(onnx);
  for (const body of onnx.bodies) uses.of(body);
  return uses.weights;
}

/** Whether a node of the model, of the graphs within its graph or of its functions feeds errors back. */
export function isRecurrent({ bodies }: Onnx): boolean {
  return bodies.some(({ nodes }) => nodes.some(({ operator }) => RECURRENT.has(nameOf(operator))));
}

class Uses {
  readonly weights: Set<number> = new Set();
  readonly #functions: ReadonlyMap<string, OnnxBody>;
  /** Of each body that was looked at, or is being: those of its inputs that are weights. */
  readonly #inputs = new Map<OnnxBody, Set<number>>();
  /** Each node is followed once: what follows from it is the same for all. */
  readonly #followed = new Set<OnnxNode>();
  #calls = 0;

  constructor({ functions }: Onnx) {
    this.#functions = functions;
  }

  /** The inputs of a function's body that are weights in it. */
  of(body: OnnxBody): ReadonlySet<number> {
    const known = this.#inputs.get(body);
    if (known) return known;
    const found = new Set<number>();
    if (this.#calls === MAX_CALLS) return found;
    this.#inputs.set(body, found);
    this.#calls++;
    for (const node of body.nodes) {
      for (const input of this.#weightInputs(node)) this.#follow(node.scope, node.inputs[input] ?? "", found);
    }
    this.#calls--;
    return found;
  }

  #weightInputs({ operator }: OnnxNode): Iterable<number> {
    const called = this.#functions.get(operator);
    if (called) return this.of(called);
    const name = nameOf(operator);
    return Object.hasOwn(WEIGHTS, name) ? WEIGHTS[name] : [];
  }

  #follow(from: OnnxScope, wanted: string, inputs: Set<number>): void {
    const left: [scope: OnnxScope, name: string][] = [[from, wanted]];
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      const value = valueIn(...next);
      if (value?.kind === "tensor") this.weights.add(value.tensor);
      else if (value?.kind === "input") inputs.add(value.input);
      else if (value !== undefined && !this.#followed.has(value.node)) {
        const { node } = value;
        this.#followed.add(node);
        const forms = node.operator === CONCAT ? node.inputs : FORMS.has(node.operator) ? node.inputs.slice(0, 1) : [];
        for (const name of forms) left.push([node.scope, name]);
      }
    }
  }
}

/** An operator without its domain. */
function nameOf(operator: string): string {
  return operator.slice(operator.lastIndexOf(":") + 1);
}

function valueIn(from: OnnxScope, name: string): OnnxValue | undefined {
  if (name === "") return undefined; // an input that is left out
  for (let scope: OnnxScope | undefined = from; scope !== undefined; scope = scope.parent) {
    const value = scope.values.get(name);
    if (value !== undefined) return value;
  }
  return undefined;
}
