import { stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { decompressFile, decompressTo, type WorkOptions } from "../index.js";
import { openInput, withInput } from "./input.js";
import { destinationOf, withSink } from "./output.js";
import { UsageError } from "./usage.js";

export interface DecompressFlags {
  readonly output?: string;
  readonly threads?: number;
  readonly maxBytes?: number;
  readonly force?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

export interface Decompressed {
  /** What was written; nothing where it went to standard output. */
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
}

const EXTENSION = ".coppice";

/** `coppice decompress`: an archive to the files of its model. */
export async function decompressCommand(
  archive: string,
  flags: DecompressFlags,
  signal: AbortSignal,
  onProgress: WorkOptions["onProgress"],
): Promise<Decompressed> {
  const destination = await destinationOf(flags.output, archive, () => usualOutput(archive));
  if (flags.json && destination.kind === "stdout")
    throw new UsageError("--json and the model cannot both go to standard output; name a file with -o");
  const { threads, maxBytes, force } = flags;
  const options = { threads, maxBytes, force, signal, onProgress };
  return withInput(await openInput(archive, signal), async (input) => {
    if (destination.kind !== "file") {
      await withSink(destination, (sink) => decompressTo(input, sink, options));
      return { files: [] };
    }
    const { path: file } = destination;
    const usual = (paths: readonly string[]): string => (paths.length > 1 ? usualFolder(file) : file);
    const paths = await decompressFile(input, flags.output === undefined ? usual : file, options);
    return { files: await Promise.all(paths.map(async (path) => ({ path, bytes: (await stat(path)).size }))) };
  });
}

function usualOutput(archive: string): string {
  const stem = archive.slice(0, -EXTENSION.length);
  if (!archive.endsWith(EXTENSION) || /(^|[\\/])$/.test(stem))
    throw new UsageError(`${archive} does not end in ${EXTENSION}; name the output with -o`);
  return stem;
}

/** A folder for several files, called like the model's first one without its extensions: `model.safetensors.index.json` gives `model`. */
function usualFolder(file: string): string {
  const name = basename(file);
  const stem = name.replace(/(?<=.)(\.safetensors\.index)?\.[^.]+$/, "");
  return join(dirname(file), stem);
}
