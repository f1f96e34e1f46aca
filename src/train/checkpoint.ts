import { readdir, rm, rmdir } from "node:fs/promises";
import path from "node:path";
import { safetensorsHeader } from "../archive/safetensors-header.js";
import { FormatError } from "../errors.js";
import { openModel } from "../formats/index.js";
import { fileSource } from "../formats/source.js";
import type { Sequential } from "../nn/sequential.js";
import { writeWhole } from "../pipeline/output.js";
import { type Tensor, tensorByteLength } from "../types.js";
import { claimFolder, OF_CLAIMS } from "./claim.js";

// A checkpoint is one safetensors file: what the network consists of, by these prefixes, and the rest of the state in JSON. What earlier stages left stands in files of their own,
// written before the checkpoint that counts on them.

const FILE = "checkpoint.safetensors";
const STATE = "state";
const KINDS = ["weights/", "constraints/", "optimizer/"] as const;

const stageFile = (stage: number): string => `stage-${stage + 1}.safetensors`;
const OURS = /^(checkpoint|stage-\d+)\.safetensors$|^\.(checkpoint|stage-\d+)\.safetensors\.[0-9a-f]{12}\.tmp$/;

/** What a program that was killed in the middle of writing left. */
const LEFT_OVER = /\.tmp$/;

/** A folder of checkpoints of one training, which `key` tells from others. */
export class Checkpoints<State> {
  readonly #folder: string;
  readonly #key: string;

  constructor(folder: string, key: string) {
    this.#folder = folder;
    this.#key = key;
  }

  /**
   * Gives a network what the last checkpoint has of it, and the rest of its state; undefined where there is none.
   *
   * @throws RangeError where it belongs to another training; FormatError where it is no checkpoint
   */
  async load(network: Sequential): Promise<State | undefined> {
    const tensors = await this.#read(FILE);
    if (tensors === undefined) return undefined;
    const { key, state } = this.#stateOf(tensors);
    if (key !== this.#key) {
      throw new RangeError(
        `checkpoint must be of this training, ${this.#folder} holds one with another network, recipe, data, seed or number of threads; name another folder or remove it`,
      );
    }
    const [weights, constraints, optimizer] = KINDS.map((kind) =>
      tensors.flatMap((tensor) => (tensor.name.startsWith(kind) ? [{ ...tensor, name: tensor.name.slice(kind.length) }] : [])),
    );
    try {
      network.load(weights);
      network.loadConstraints(constraints);
      network.loadOptimizer(optimizer);
    } catch (error) {
      throw this.#broken(FILE, (error as Error).message);
    }
    return state;
  }

  /** Writes a checkpoint, whole, in the place of the last one. */
  async save(network: Sequential, state: State): Promise<void> {
    const json = new TextEncoder().encode(JSON.stringify({ key: this.#key, state }));
    const [weights, constraints, optimizer] = [network.tensors(), network.constraints(), network.optimizerTensors()];
    const named = (tensors: readonly Tensor[], kind: string): Tensor[] =>
      tensors.map((tensor) => ({ ...tensor, name: `${kind}${tensor.name}` }));
    await this.#write(FILE, [
      { name: STATE, dtype: "U8", shape: [json.length], data: json },
      ...[weights, constraints, optimizer].flatMap((tensors, i) => named(tensors, KINDS[i])),
    ]);
  }

  /** Keeps what a stage left, by its number. */
  async saveStage(stage: number, tensors: readonly Tensor[]): Promise<void> {
    await this.#write(stageFile(stage), tensors);
  }

  /** @throws FormatError where the file is missing or broken */
  async loadStage(stage: number): Promise<Tensor[]> {
    const tensors = await this.#read(stageFile(stage));
    if (tensors === undefined) throw this.#broken(stageFile(stage), "the file is missing, without which the checkpoint is of no use");
    return tensors;
  }

  #stateOf(tensors: readonly Tensor[]): { readonly key: string; readonly state: State } {
    const bytes = tensors.find(({ name }) => name === STATE)?.data;
    if (bytes === undefined) throw this.#broken(FILE, "it is no checkpoint of a training");
    try {
      return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    } catch {
      throw this.#broken(FILE, "its state is no JSON");
    }
  }

  #broken(file: string, detail: string): FormatError {
    return named(new FormatError("CORRUPT", 0, detail), path.join(this.#folder, file));
  }

  async #write(file: string, tensors: readonly Tensor[]): Promise<void> {
    const bytes = Buffer.concat([safetensorsHeader(tensors), ...tensors.map(({ data }) => data)]);
    await writeWhole(path.join(this.#folder, file), true, (sink) => sink(bytes));
  }

  async #read(file: string): Promise<Tensor[] | undefined> {
    const from = path.join(this.#folder, file);
    const source = await fileSource(from).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
    if (source === undefined) return undefined;
    try {
      const model = await openModel(source, { name: from });
      const tensors: Tensor[] = [];
      for (const [i, info] of model.tensors.entries()) {
        const { name, dtype, shape } = info;
        const data = (await model.read(i, 0, tensorByteLength(dtype, shape))).slice();
        tensors.push({ name, dtype, shape, data });
      }
      return tensors;
    } catch (error) {
      throw error instanceof FormatError ? named(error, from) : error;
    } finally {
      await source.close();
    }
  }
}

/** The error, told of the file. */
function named(error: FormatError, file: string): FormatError {
  error.message = `${file}: ${error.message}`;
  return error;
}

/** Takes away what a program that was killed in the middle of writing left in a folder. */
export async function cleanCheckpoints(folder: string): Promise<void> {
  for (const name of await namesIn(folder)) if (OURS.test(name) && LEFT_OVER.test(name)) await rm(path.join(folder, name), { force: true });
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
}

/**
 * Removes the checkpoints in a folder, and the folder where nothing else is in it. Of a folder that is not there, nothing.
 *
 * @throws RangeError where a training that is under way has it
 */
export async function removeCheckpoints(folder: string): Promise<void> {
  if ((await namesIn(folder)).length === 0) return rmdir(folder).catch(() => undefined);
  const release = await claimFolder(folder);
  try {
    await clearCheckpoints(folder);
  } finally {
    await release();
  }
}

/** Removes the checkpoints in a folder that is claimed; the folder goes with the claim. */
export async function clearCheckpoints(folder: string): Promise<void> {
  for (const name of await namesIn(folder)) if (OURS.test(name) || OF_CLAIMS.test(name)) await rm(path.join(folder, name), { force: true });
}
