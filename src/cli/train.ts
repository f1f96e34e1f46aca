import {
  type Dataset,
  parseNetwork,
  parseTrainingRecipe,
  readDataset,
  type TrainArchiveOptions,
  type TrainingReport,
  trainFile,
  type WrittenFile,
} from "../train/index.js";
import { readJson } from "./json-file.js";
import { UsageError } from "./usage.js";

export interface TrainFlags {
  readonly net: string;
  readonly data: string;
  readonly recipe: string;
  readonly output: string;
  readonly checkpoint?: string;
  readonly keep?: boolean;
  readonly seed?: number;
  readonly threads?: number;
  readonly report?: string;
  readonly force?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** What is told of a training under way. */
export type TrainListeners = Pick<TrainArchiveOptions, "onProgress" | "onResume" | "onStage">;

export interface TrainOutcome {
  readonly report: TrainingReport;
  readonly files: readonly WrittenFile[];
}

/** `coppice train`: samples to an archive. */
export async function trainCommand(flags: TrainFlags, signal: AbortSignal, listeners: TrainListeners): Promise<TrainOutcome> {
  const { output, checkpoint = `${output}.checkpoint`, report: page, force, keep, seed, threads } = flags;
  for (const file of [output, page])
    if (file === "" || file === "-") throw new UsageError("a training needs files to write to; name them with -o and --report");
  const net = await readAs(flags.net, "network", parseNetwork);
  const recipe = await readAs(flags.recipe, "recipe", parseTrainingRecipe);
  const data = await dataOf(flags.data);
  try {
    return await trainFile({ net, recipe, data, checkpoint, seed, threads, ...listeners, signal }, { output, page, force, keep });
  } catch (error) {
    // What the network or the data make of a recipe that is one.
    const { message } = error as Error;
    throw /^(stages\[|data\.)/.test(message) ? new UsageError(`${flags.recipe}: ${message}`) : error;
  }
}

/** What `parse` makes of a JSON file, which its errors name. */
async function readAs<T>(file: string, what: string, parse: (value: unknown) => T): Promise<T> {
  const value = await readJson(file, what);
  try {
    return parse(value);
  } catch (error) {
    throw new UsageError(`${file}: ${(error as Error).message}`);
  }
}

async function dataOf(folder: string): Promise<Dataset> {
  return readDataset(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" && error.path === folder) throw new UsageError(`${folder || "the empty name"}: there is no such folder`);
    if (error.code === "ENOTDIR") throw new UsageError(`${folder} is a file; name the folder that it is in`);
    throw error;
  });
}
