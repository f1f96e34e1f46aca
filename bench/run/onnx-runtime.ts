import { pathToFileURL } from "node:url";
import type { Step } from "./form.js";

/** As much of onnxruntime, native or for the web, as is used here. */
interface OnnxRuntime {
  readonly env: { readonly wasm: { numThreads?: number } };
  readonly Tensor: new (type: "float32", data: Float32Array, dims: readonly number[]) => object;
  readonly InferenceSession: { create(model: Uint8Array, options: object): Promise<OnnxSession> };
}

interface OnnxSession {
  run(feeds: object): Promise<{ readonly y: { readonly data: Float32Array } }>;
  release(): Promise<void>;
}

export interface OnnxModel {
  /** The main file of the package. */
  readonly file: string;
  /** As `gemmModel` makes it. */
  readonly model: Uint8Array;
  readonly inputs: number;
  readonly options: object;
}

/** Errors alone are written: what onnxruntime warns of is not for whoever reads the benchmark. */
const ERRORS_ONLY = { logSeverityLevel: 3 };

/** A session, and a run of it. The tensors that go in and come out are made each time, as they are for everyone who calls it. */
export async function onnxStep({ file, model, inputs, options }: OnnxModel): Promise<{ step: Step; close: () => Promise<void> }> {
  const { default: runtime } = (await import(pathToFileURL(file).href)) as { readonly default: OnnxRuntime };
  runtime.env.wasm.numThreads = 1;
  const { Tensor } = runtime;
  const session = await runtime.InferenceSession.create(model, { ...ERRORS_ONLY, ...options });
  return {
    step: async (x, batch) => (await session.run({ x: new Tensor("float32", x, [batch, inputs]) })).y.data,
    close: () => session.release(),
  };
}
