import { open, stat } from "node:fs/promises";
import { writeOut } from "./stdio.js";
import { UsageError } from "./usage.js";

/** Where the bytes go that a command makes. A device takes them as they come; a file appears whole or not at all. */
export type Destination = { readonly kind: "stdout" } | { readonly kind: "device" | "file"; readonly path: string };

export type Sink = (bytes: Uint8Array) => Promise<void>;

/**
 * @param output the option, if it was given
 * @param input what is read, `-` for standard input
 * @param usual the file where no option says another
 * @throws UsageError where there is no place to write to
 */
export async function destinationOf(output: string | undefined, input: string, usual: () => string): Promise<Destination> {
  if (output === "-") return { kind: "stdout" };
  if (output === undefined && input === "-") {
    if (process.stdout.isTTY) throw new UsageError("standard output is a terminal; name a file with -o");
    return { kind: "stdout" };
  }
  const path = output ?? usual();
  if (path === "") throw new UsageError("the name of the output is empty; name a file with -o");
  const there = await stats(path);
  const source = input === "-" ? undefined : await stats(input);
  if (there !== undefined && there.dev === source?.dev && there.ino === source.ino)
    throw new UsageError(`${path} would take the place of what is read; name another file with -o`);
  const device = there !== undefined && !there.isFile() && !there.isDirectory();
  return { kind: device ? "device" : "file", path };
}

function stats(path: string): ReturnType<typeof stat> | Promise<undefined> {
  return stat(path).catch(() => undefined) as ReturnType<typeof stat>;
}

/** Gives `work` a sink into standard output or a device. */
export async function withSink<T>(destination: Destination, work: (sink: Sink) => Promise<T>): Promise<T> {
  if (destination.kind === "stdout") return work(writeOut);
  const handle = await open(destination.path, "w");
  try {
    return await work((bytes) => handle.writeFile(bytes));
  } finally {
    await handle.close();
  }
}
