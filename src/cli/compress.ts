import { type CompressOptions, compressFile, compressTo, type Report, type WorkOptions } from "../index.js";
import { openInput, withInput } from "./input.js";
import { type Destination, destinationOf, withSink } from "./output.js";
import { type RecipeFlags, recipeOf } from "./recipe.js";
import { UsageError } from "./usage.js";

export interface CompressFlags extends RecipeFlags {
  readonly output?: string;
  readonly threads?: number;
  readonly force?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

export interface Compressed {
  readonly destination: Destination;
  readonly report: Report;
}

/** `coppice compress`: a model to an archive. */
export async function compressCommand(
  model: string,
  flags: CompressFlags,
  signal: AbortSignal,
  onProgress: WorkOptions["onProgress"],
): Promise<Compressed> {
  const recipe = await recipeOf(flags);
  const destination = await destinationOf(flags.output, model, () => `${model}.coppice`);
  if (flags.json && destination.kind === "stdout")
    throw new UsageError("--json and the archive cannot both go to standard output; name a file with -o");
  const options: CompressOptions = { recipe, threads: flags.threads, signal, onProgress };
  const report = await withInput(await openInput(model, signal), (input) =>
    destination.kind === "file"
      ? compressFile(input, destination.path, { ...options, force: flags.force })
      : withSink(destination, (sink) => compressTo(input, sink, options)),
  );
  return { destination, report };
}
