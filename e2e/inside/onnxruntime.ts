import { createSession } from "coppice/onnxruntime";
import * as ort from "onnxruntime-web";
import { about } from "./about.ts";
import type { Commands } from "./commands.ts";

// The page serves onnxruntime's WebAssembly at its root, and is not isolated from others, so that it has no threads.
ort.env.wasm.wasmPaths = "/";
ort.env.wasm.numThreads = 1;

const OPTIONS: ort.InferenceSession.SessionOptions = { executionProviders: ["wasm"], logSeverityLevel: 3 };

/** What is to be run: an address of a model, and of its input's numbers. */
export interface Wanted {
  readonly model: string;
  readonly input: { readonly name: string; readonly shape: readonly number[]; readonly address: string };
}

/** Outputs by name; JSON keeps every bit of a float32. */
export type Outputs = Readonly<Record<string, readonly number[]>>;

async function answers(session: ort.InferenceSession, { input }: Wanted): Promise<Outputs> {
  const values = new Float32Array(await (await fetch(input.address)).arrayBuffer());
  const outputs = await session.run({ [input.name]: new ort.Tensor("float32", values, input.shape) });
  await session.release();
  return Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, [...(data as Float32Array)]]));
}

async function original(wanted: unknown): Promise<Outputs> {
  const { model } = wanted as Wanted;
  return answers(await ort.InferenceSession.create(model, OPTIONS), wanted as Wanted);
}

async function archive(wanted: unknown): Promise<Outputs> {
  const { model } = wanted as Wanted;
  return answers(await createSession(await fetch(model), { ort, session: OPTIONS }), wanted as Wanted);
}

/** With the package that it finds by itself. */
async function usual(wanted: unknown): Promise<Outputs> {
  const { model } = wanted as Wanted;
  return answers((await createSession(model, { session: OPTIONS })) as ort.InferenceSession, wanted as Wanted);
}

export const commands: Commands = { about, original, archive, usual };
