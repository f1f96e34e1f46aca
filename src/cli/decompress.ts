import { stat } from "node:fs/promises";
import { decompressFile, decompressTo, type Target, type WorkOptions } from "../index.js";
import { openInput, withInput } from "./input.js";
import { destinationOf, withSink } from "./output.js";
import { UsageError } from "./usage.js";

export interface DecompressFlags {
  readonly output?: string;
  readonly to?: Target;
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

/** What files of models end in. Other ends, say of a version 1.5, are part of the name. */
const MODEL_EXTENSION = /(?<=[^\\/])((\.safetensors\.index)?\.json|\.(safetensors|onnx|npy|npz|pt|pth|th|bin|ckpt|h5|hdf5|keras))$/i;

/** `coppice decompress`: an archive to the files of its model. */
export async function decompressCommand(
  archive: string,
  flags: DecompressFlags,
  signal: AbortSignal,
  onProgress: WorkOptions["onProgress"],
): Promise<Decompressed> {
  const destination = await destinationOf(flags.output, archive, () => usualOutput(archive, flags.to));
  if (flags.json && destination.kind === "stdout")
    throw new UsageError("--json and the model cannot both go to standard output; name a file with -o");
  const { to, threads, maxBytes, force } = flags;
  const options = { to, threads, maxBytes, force, signal, onProgress };
  return withInput(await openInput(archive, signal), async (input) => {
    if (destination.kind !== "file") {
      await withSink(destination, (sink) => decompressTo(input, sink, options));
      return { files: [] };
    }
    const { path: file } = destination;
    const usual = (paths: readonly string[]): string => (paths.length > 1 ? withoutExtension(file) : file);
    const paths = await decompressFile(input, flags.output === undefined ? usual : file, options);
    return { files: await Promise.all(paths.map(async (path) => ({ path, bytes: (await stat(path)).size }))) };
  });
}

/** Called like the archive, without `.coppice`; a file of another format, like the model. */
function usualOutput(archive: string, to: Target | undefined): string {
  const stem = archive.slice(0, -EXTENSION.length);
  if (!archive.endsWith(EXTENSION) || /(^|[\\/])$/.test(stem))
    throw new UsageError(`${archive} does not end in ${EXTENSION}; name the output with -o`);
  return to === undefined ? stem : `${withoutExtension(stem)}.${to}`;
}

/** So is the folder for several files: `model.json` gives `model`, as the file that was compressed is there most likely. */
function withoutExtension(file: string): string {
  return file.replace(MODEL_EXTENSION, "");
}
