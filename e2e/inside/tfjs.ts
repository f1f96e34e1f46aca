import * as tf from "@tensorflow/tfjs";
import { open } from "coppice/decode";
import { type ArchiveSource, type CoppiceIOOptions, coppiceIO } from "coppice/tfjs";
import { about } from "./about.ts";
import { sha256, sourceOf, streamed } from "./bytes.ts";
import type { Commands } from "./commands.ts";

/** Where the files of a model and its archive are served. */
export interface Served {
  readonly original: string;
  readonly archive: string;
}

async function bytesAt(address: string): Promise<Uint8Array> {
  return new Uint8Array(await (await fetch(address)).arrayBuffer());
}

/** Every kind of source that there is, by its name. */
async function sources(address: string): Promise<Record<string, ArchiveSource>> {
  const bytes = await bytesAt(address);
  return {
    address,
    URL: new URL(address),
    response: await fetch(address),
    stream: streamed(bytes, [1, 7, 1000, 61]),
    bytes,
    archive: await open(sourceOf(bytes)),
  };
}

type Model = tf.LayersModel | tf.GraphModel;

/** What the model answers to numbers that look random, the same for all. */
async function outputs(model: Model): Promise<string> {
  const shape = (model.inputs[0].shape as (number | null)[]).map((axis) => (axis === null || axis < 0 ? 2 : axis));
  const values = Float32Array.from(
    { length: shape.reduce((product, axis) => product * axis, 1) },
    (_, i) => (Math.imul(i, 2654435761) >>> 0) / 2 ** 32,
  );
  const output = model.predict(tf.tensor(values, shape)) as tf.Tensor;
  const answers = (await output.data()) as Float32Array;
  model.dispose();
  if (new Set(answers).size < 3 || answers.some((answer) => !Number.isFinite(answer))) throw new Error(`the model answers ${answers}`);
  return `${output.shape} ${await sha256(new Uint8Array(answers.buffer, answers.byteOffset, answers.byteLength))}`;
}

async function answers(
  { original, archive }: Served,
  load: (from: string | tf.io.IOHandler) => Promise<Model>,
  options?: CoppiceIOOptions,
) {
  await tf.setBackend("cpu");
  const found: Record<string, string> = { original: await outputs(await load(original)) };
  for (const [name, source] of Object.entries(await sources(archive))) found[name] = await outputs(await load(coppiceIO(source, options)));
  return found;
}

/** The weights that a manifest names, by the name of each: as TF.js loads them itself, and from an archive. */
async function weights({ original, archive }: Served): Promise<Record<string, string>[]> {
  await tf.setBackend("cpu");
  const manifest = JSON.parse(new TextDecoder().decode(await bytesAt(original)));
  const { weightData, weightSpecs } = await coppiceIO(archive).load();
  const loaded = [
    await tf.io.loadWeights(manifest, original.slice(0, original.lastIndexOf("/"))),
    tf.io.decodeWeights(weightData as ArrayBuffer[], weightSpecs),
  ];
  return Promise.all(
    loaded.map(async (tensors) => {
      const found: Record<string, string> = {};
      for (const [name, tensor] of Object.entries(tensors)) {
        const values = (await tensor.data()) as Float32Array;
        found[name] = `${tensor.shape} ${await sha256(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))}`;
      }
      return found;
    }),
  );
}

export const commands: Commands = {
  about,
  layers: (served) => answers(served as Served, (from) => tf.loadLayersModel(from)),
  graph: (served) => answers(served as Served, (from) => tf.loadGraphModel(from)),
  streamed: (served) => answers(served as Served, (from) => tf.loadGraphModel(from), { streamWeights: true }),
  weights: (served) => weights(served as Served),
};
