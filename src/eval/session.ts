import { MAGIC } from "../archive/limits.js";
import type { OpenOptions } from "../decode/options.js";
import { FormatError } from "../errors.js";
import { bytesSource, fileSource } from "../formats/index.js";
import { isOnnx } from "../formats/onnx.js";
import type { Input } from "../pipeline/api.js";
import { open } from "../pipeline/decode.js";
import { loadRuntime, type Runtime, type RuntimeSession, type RuntimeTensor, type RuntimeValue } from "../runtime/node/runtime.js";
import { onnxFiles } from "../runtime/onnx-files.js";
import type { Tensor } from "../types.js";
import type { RunnableModel, ValueInfo } from "./types.js";
import { elementsOf, type ValueDtype } from "./values.js";

/** onnxruntime's names of the elements that it has in JavaScript. */
const TYPES: readonly (readonly [ValueDtype, string])[] = [
  ["F32", "float32"],
  ["F64", "float64"],
  ["F16", "float16"],
  ["I64", "int64"],
  ["I32", "int32"],
  ["I16", "int16"],
  ["I8", "int8"],
  ["U64", "uint64"],
  ["U32", "uint32"],
  ["U16", "uint16"],
  ["U8", "uint8"],
  ["BOOL", "bool"],
];
const TYPE_OF: ReadonlyMap<string, string> = new Map(TYPES);
const DTYPE_OF: ReadonlyMap<string, ValueDtype> = new Map(TYPES.map(([dtype, type]) => [type, dtype]));

/** What goes wrong is thrown, and said by who catches it: onnxruntime would write it to standard error too. */
const FATAL_ONLY = { logSeverityLevel: 4 };

/** What onnxruntime is given: a path, or bytes and those of the files beside them. */
interface Loadable {
  readonly model: string | Uint8Array;
  readonly externalData: readonly object[];
}

/** Enough to tell an archive, and an ONNX file. */
const HEAD_BYTES = 16;

async function loadable(input: Input, options: OpenOptions): Promise<Loadable> {
  const source = typeof input === "string" ? await fileSource(input) : bytesSource(input);
  try {
    const head = await source.read(0, Math.min(HEAD_BYTES, source.byteLength));
    if (MAGIC.every((byte, i) => head[i] === byte)) return await onnxFiles(await open(source, options), options);
    if (!isOnnx(head))
      throw new FormatError("UNSUPPORTED", 0, "neither an ONNX model nor an archive of one, which is all that onnxruntime runs");
    return { model: input, externalData: [] };
  } finally {
    await source.close();
  }
}

/**
 * An ONNX model, or an archive of one, in onnxruntime-node. An archive is decoded in memory.
 *
 * @param input a path, or bytes; the data files beside a model are found by its path
 * @throws FormatError where the archive is at fault, the model is no ONNX, or onnxruntime refuses it; MissingPackageError without onnxruntime-node
 */
export async function openOnnxModel(input: Input, options: OpenOptions = {}): Promise<RunnableModel> {
  const runtime = await loadRuntime();
  const session = await created(runtime, await loadable(input, options));
  try {
    return runnable(session);
  } catch (error) {
    await session.release();
    throw error;
  }
}

async function created({ InferenceSession }: Runtime, { model, externalData }: Loadable): Promise<RuntimeSession> {
  try {
    return await InferenceSession.create(model, { ...FATAL_ONLY, ...(externalData.length > 0 && { externalData }) });
  } catch (error) {
    throw new FormatError("UNSUPPORTED", 0, `onnxruntime does not load the model: ${(error as Error).message}`);
  }
}

function infoOf({ name, isTensor, type, shape }: RuntimeValue): ValueInfo {
  const dtype = isTensor ? DTYPE_OF.get(type ?? "") : undefined;
  if (dtype === undefined || shape === undefined)
    throw new FormatError("UNSUPPORTED", 0, `the model's ${JSON.stringify(name)} is ${isTensor ? `of ${type}` : "no tensor"}`);
  return { name, dtype, shape: shape.map((axis) => (typeof axis === "number" && axis < 0 ? "" : axis)) };
}

function runnable(session: RuntimeSession): RunnableModel {
  const inputs = session.inputMetadata.map(infoOf);
  const outputs = session.outputMetadata.map(infoOf);
  return {
    inputs,
    outputs,
    async run(tensors) {
      const feeds = tensors.map((tensor) => [tensor.name, toRuntime(tensor)] as const);
      const results = await answered(session.run(Object.fromEntries(feeds), FATAL_ONLY));
      return outputs.map((info) => fromRuntime(info, results[info.name]));
    },
    release: () => session.release(),
  };
}

/** @throws RangeError where the model cannot go on with its inputs */
async function answered<T>(running: Promise<T>): Promise<T> {
  try {
    return await running;
  } catch (error) {
    throw new RangeError(`samples must be what the model can work on; onnxruntime says: ${(error as Error).message}`);
  }
}

/**
 * A tensor as onnxruntime-node reads it. Its own class makes of float16 a Float16Array where there is one, and the binding of version 1.30 reads nothing of that.
 */
function toRuntime({ dtype, shape, data }: Tensor): RuntimeTensor {
  const type = TYPE_OF.get(dtype) as string;
  return { type, dims: shape, data: elementsOf({ data }, dtype as ValueDtype), location: "cpu" };
}

function fromRuntime({ name, dtype }: ValueInfo, { dims, data }: RuntimeTensor): Tensor {
  return { name, dtype, shape: dims, data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
}
