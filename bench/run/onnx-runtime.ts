import { readFile } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import type { Step } from "./form.js";

/** As much of onnxruntime, native or for the web, as is used here. */
interface OnnxRuntime {
  readonly env: { readonly wasm: { numThreads?: number } };
  readonly Tensor: new (type: "float32", data: Float32Array, dims: readonly number[]) => object;
  readonly InferenceSession: { create(model: Uint8Array | string, options: object): Promise<OnnxSession> };
}

interface OnnxSession {
  run(feeds: object): Promise<{ readonly y: { readonly data: Float32Array } }>;
  release(): Promise<void>;
}

export interface OnnxModel {
  /** The main file of the package. */
  readonly file: string;
  /** As `gemmModel` makes it; or the path of a model. */
  readonly model: Uint8Array | string;
  /** What a sample is. */
  readonly shape: readonly number[];
  readonly options: object;
  /** A file of weights beside the model, which onnxruntime-web cannot read by itself. */
  readonly weightsFile?: string;
}

/** Errors alone are written: what onnxruntime warns of is not for whoever reads the benchmark. */
const ERRORS_ONLY = { logSeverityLevel: 3 };

/** A session, and a run of it. The tensors that go in and come out are made each time, as they are for everyone who calls it. */
export async function onnxStep({
  file,
  model,
  shape,
  options,
  weightsFile,
}: OnnxModel): Promise<{ step: Step; close: () => Promise<void> }> {
  const { default: runtime } = (await import(pathToFileURL(file).href)) as { readonly default: OnnxRuntime };
  runtime.env.wasm.numThreads = 1;
  const { Tensor } = runtime;
  const externalData = weightsFile && [{ path: path.basename(weightsFile), data: new Uint8Array(await readFile(weightsFile)) }];
  const session = await runtime.InferenceSession.create(model, { ...ERRORS_ONLY, ...options, ...(externalData && { externalData }) });
  return {
    step: async (x, batch) => (await session.run({ x: new Tensor("float32", x, [batch, ...shape]) })).y.data,
    close: () => session.release(),
  };
}
