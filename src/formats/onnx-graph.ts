import { FormatError } from "../errors.js";
import type { Source } from "../types.js";
import { type OnnxTensor, readTensor, textOf } from "./onnx-tensor.js";
import { BYTES, type Field, ProtobufReader } from "./protobuf.js";

// ModelProto and what it holds, by the numbers that onnx.proto gives their fields: the tensors, and which node uses which value.

/** Real models have some ten thousand nodes, tensors and names of values; what they take in memory is bounded by it. */
const MAX_ITEMS = 1 << 22;

/** Constants with fewer bytes (axes, shapes, single numbers) take less in the shell than as a record. */
const LEAST_CONSTANT_BYTES = 64;

/** Attributes have short names; a longer one is not taken for a prefix. */
const MOST_PREFIX = 64;

/** A node, as far as it tells how values are used. */
export interface OnnxNode {
  readonly scope: OnnxScope;
  readonly inputs: readonly string[];
  /** What it is: its operator, or `domain:operator` for one that may be a function of the model. */
  readonly operator: string;
}

/** A value that is known before anything runs: a tensor, by its index, an input of a function, or what a node gives. */
export type OnnxValue =
  | { readonly kind: "tensor"; readonly tensor: number }
  | { readonly kind: "input"; readonly input: number }
  | { readonly kind: "node"; readonly node: OnnxNode };

/** A graph: a name means what it does here, or else in the graph around it. */
export interface OnnxScope {
  readonly parent?: OnnxScope;
  readonly values: Map<string, OnnxValue>;
}

/** The nodes of a model's graph, or of one of its functions, with those of the graphs in it. */
export interface OnnxBody {
  readonly scope: OnnxScope;
  readonly nodes: OnnxNode[];
}

export interface Onnx {
  /** In the order of the file. Names may stand twice. */
  readonly tensors: OnnxTensor[];
  readonly bodies: OnnxBody[];
  /** By `domain:operator`. */
  readonly functions: Map<string, OnnxBody>;
}

/** The fields that hold messages or texts, by number. */
type Visits = Readonly<Record<number, (field: Field) => Promise<void>>>;

/**
 * Reads an ONNX model, but for the bytes of its tensors.
 *
 * @throws FormatError
 */
export async function readOnnx(source: Source): Promise<Onnx> {
  const walk = new OnnxWalk(source);
  await walk.model(source.byteLength);
  return walk.onnx;
}

class OnnxWalk {
  readonly onnx: Onnx = { tensors: [], bodies: [], functions: new Map() };
  readonly #reader: ProtobufReader;
  #items = 0;

  constructor(source: Source) {
    this.#reader = new ProtobufReader(source);
  }

  async model(byteLength: number): Promise<void> {
    let graphs = 0;
    const main = this.#body();
    await this.#fields(0, byteLength, {
      7: (field) => {
        graphs++;
        return this.#graph(field, main, main.scope, "");
      },
      20: (field) => {
        // TrainingInfoProto: what begins the training, and a step of it.
        const graph = (inner: Field): Promise<void> => this.#graph(inner, this.#body(), { values: new Map() }, "training/");
        return this.#fields(field.at, field.end, { 1: graph, 2: graph });
      },
      25: (field) => this.#function(field),
    });
    if (graphs === 0) throw new FormatError("TRUNCATED", byteLength, "an ONNX model has a graph");
  }

  #body(): OnnxBody {
    const body: OnnxBody = { scope: { values: new Map() }, nodes: [] };
    this.onnx.bodies.push(body);
    return body;
  }

  #count(at: number): void {
    if (++this.#items > MAX_ITEMS) throw new FormatError("LIMIT", at, `more than ${MAX_ITEMS} nodes, tensors and names of values`);
  }

  #fields(start: number, end: number, visits: Visits): Promise<void> {
    return this.#reader.message(start, end, (field) => {
      if (field.wire !== BYTES || !Object.hasOwn(visits, field.number)) return undefined;
      this.#count(field.start);
      return visits[field.number](field);
    });
  }

  #text(field: Field): Promise<string> {
    return textOf(this.#reader, field);
  }

  #graph(message: Field, body: OnnxBody, scope: OnnxScope, prefix: string): Promise<void> {
    return this.#fields(message.at, message.end, {
      1: (field) => this.#node(field, body, scope, prefix),
      5: async (field) => {
        const tensor = await readTensor(this.#reader, field);
        if (tensor) this.#add(tensor, tensor.name, prefix, scope);
      },
      15: (field) => this.#sparse(field, prefix),
    });
  }

  /** Lists a tensor: in `scope` its name stands for it. */
  #add(tensor: OnnxTensor, name: string, prefix: string, scope?: OnnxScope): void {
    scope?.values.set(name, { kind: "tensor", tensor: this.onnx.tensors.length });
    this.onnx.tensors.push({ ...tensor, name: `${prefix}${name}` });
  }

  /** A sparse tensor stays as it is; only what it has in another file is listed, so that the file is part of the model. */
  #sparse(message: Field, prefix: string): Promise<void> {
    const part = async (field: Field): Promise<void> => {
      const tensor = await readTensor(this.#reader, field);
      if (tensor && typeof tensor.data !== "number") this.#add(tensor, tensor.name, prefix);
    };
    return this.#fields(message.at, message.end, { 1: part, 2: part });
  }

  async #node(message: Field, body: OnnxBody, scope: OnnxScope, prefix: string): Promise<void> {
    const inputs: string[] = [];
    const outputs: string[] = [];
    const held: { readonly tensor: OnnxTensor; readonly attribute: string }[] = [];
    let [operator, domain] = ["", ""];
    await this.#fields(message.at, message.end, {
      1: async (field) => void inputs.push(await this.#text(field)),
      2: async (field) => void outputs.push(await this.#text(field)),
      4: async (field) => void (operator = await this.#text(field)),
      7: async (field) => void (domain = await this.#text(field)),
      5: async (field) => {
        const { name, tensors } = await this.#attribute(field, body, scope);
        for (const tensor of tensors) held.push({ tensor, attribute: name });
      },
    });
    const [output = ""] = outputs;
    const node: OnnxNode = { scope, inputs, operator: nameIn(domain, operator) };
    body.nodes.push(node);
    for (const name of outputs) scope.values.set(name, { kind: "node", node });
    for (const { tensor, attribute } of held) {
      if (operator === "Constant") this.#add(tensor, output, prefix, scope);
      else this.#add(tensor, `${output}.${attribute}`, prefix);
    }
  }

  /** Reads an attribute: its graphs are walked, its tensors given, but for those that are better left in the shell. */
  async #attribute(message: Field, body: OnnxBody, scope: OnnxScope): Promise<{ readonly name: string; readonly tensors: OnnxTensor[] }> {
    let name = "";
    const tensors: OnnxTensor[] = [];
    const tensor = async (field: Field): Promise<void> => {
      const read = await readTensor(this.#reader, field);
      if (read && (typeof read.data !== "number" || read.byteLength >= LEAST_CONSTANT_BYTES)) tensors.push(read);
    };
    const graph = (field: Field): Promise<void> => this.#graph(field, body, { parent: scope, values: new Map() }, prefixOf(name));
    const sparse = (field: Field): Promise<void> => this.#sparse(field, prefixOf(name));
    await this.#fields(message.at, message.end, {
      1: async (field) => void (name = await this.#text(field)),
      5: tensor,
      6: graph,
      10: tensor,
      11: graph,
      22: sparse,
      23: sparse,
    });
    return { name, tensors };
  }

  async #function(message: Field): Promise<void> {
    const body = this.#body();
    const { scope } = body;
    let [name, domain, inputs] = ["", "", 0];
    await this.#fields(message.at, message.end, {
      1: async (field) => void (name = await this.#text(field)),
      4: async (field) => void scope.values.set(await this.#text(field), { kind: "input", input: inputs++ }),
      7: (field) => this.#node(field, body, scope, prefixOf(name)),
      10: async (field) => void (domain = await this.#text(field)),
      11: async (field) => {
        const { name: attribute, tensors } = await this.#attribute(field, body, scope);
        for (const tensor of tensors) this.#add(tensor, attribute, prefixOf(name));
      },
    });
    this.onnx.functions.set(nameIn(domain, name), body);
  }
}

/** The standard's own domain has two names. */
function nameIn(domain: string, operator: string): string {
  return domain === "" || domain === "ai.onnx" ? operator : `${domain}:${operator}`;
}

function prefixOf(name: string): string {
  return name === "" || name.length > MOST_PREFIX ? "" : `${name}/`;
}
