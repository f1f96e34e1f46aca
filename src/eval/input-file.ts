import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { plainBytes } from "../check.js";
import { FormatError } from "../errors.js";
import type { Input } from "../pipeline/api.js";

const inflate = promisify(gunzip);

/** The training images of MNIST take 47 MB, of ImageNet's size no one would have IDX files; a gzip file that gives more is a bomb. */
const MOST_BYTES = 2 ** 30;

/**
 * The bytes of a small file, out of gzip where it is in it.
 *
 * @throws FormatError where the gzip file is broken; what the system throws where the file cannot be read
 */
export async function readInput(input: Input): Promise<Uint8Array> {
  const bytes = typeof input === "string" ? new Uint8Array(await readFile(input)) : plainBytes(input, "input");
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return new Uint8Array(await inflate(bytes, { maxOutputLength: MOST_BYTES }));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ERR_BUFFER_TOO_LARGE") throw new FormatError("LIMIT", 0, `a gzip file of more than ${MOST_BYTES} bytes`);
    throw new FormatError(code === "Z_BUF_ERROR" ? "TRUNCATED" : "CORRUPT", 0, `a gzip file that does not inflate: ${message}`);
  }
}
