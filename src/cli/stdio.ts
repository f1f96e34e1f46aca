import { fstatSync, write } from "node:fs";
import { promisify } from "node:util";

const writeAt = promisify(write);

const STDOUT = 1;

/** The exit code of a process that SIGPIPE ended, as a shell reports it. */
export const PIPE_CLOSED = 141;

function isFile(fd: number): boolean {
  try {
    return fstatSync(fd).isFile();
  } catch {
    return false;
  }
}

/** Writes to standard output, and resolves once the system has taken all of it. */
export async function writeOut(data: string | Uint8Array): Promise<void> {
  const bytes = typeof data === "string" ? Buffer.from(data) : data;
  if (!isFile(STDOUT)) return written(process.stdout, bytes);
  // Node's own stream takes a write that a full disk cut short for a whole one.
  for (let at = 0; at < bytes.length; ) at += (await writeAt(STDOUT, bytes, at, bytes.length - at)).bytesWritten;
}

/** Writes a line to standard error. */
export function writeError(line: string): Promise<void> {
  return written(process.stderr, Buffer.from(`${line}\n`));
}

function written(stream: NodeJS.WriteStream, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => stream.write(bytes, (error) => (error ? reject(error) : resolve())));
}

/** A pipe that closes is told to whoever writes; an event that nobody hears would end the process with a stack trace. */
export function hearStreamErrors(): void {
  process.stdout.on("error", () => undefined);
  process.stderr.on("error", () => undefined);
}
