import { readSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { FormatError } from "../errors.js";
import type { Place, Source } from "../types.js";
import { checkRange } from "./bytes-source.js";

/** One call of the system reads less than 2 GiB, whatever it is asked for. */
const MOST_PER_CALL = 2 ** 30;

function becameShorter(offset: number): FormatError {
  return new FormatError("TRUNCATED", offset, "the file became shorter while it was read");
}

async function readFully(handle: FileHandle, offset: number, byteLength: number): Promise<Uint8Array> {
  // Not from the pool: a view that lives on would keep the pool's other buffers alive. Not zeroed: every byte is read or the call fails.
  const { buffer } = Buffer.allocUnsafeSlow(byteLength);
  const bytes = new Uint8Array(buffer, 0, byteLength);
  let done = 0;
  while (done < byteLength) {
    const { bytesRead } = await handle.read(bytes, done, Math.min(byteLength - done, MOST_PER_CALL), offset + done);
    if (bytesRead === 0) throw becameShorter(offset + done);
    done += bytesRead;
  }
  return bytes;
}

/**
 * A file, read by range.
 *
 * @throws TypeError where `path` is not a regular file; what the system throws where it cannot be opened.
 */
export async function fileSource(path: string): Promise<Source> {
  const handle = await open(path, "r");
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw new TypeError(`path must name a regular file, got ${JSON.stringify(path)}`);
    const byteLength = stat.size;
    return {
      byteLength,
      place: { fd: handle.fd, offset: 0 },
      read(offset: number, length: number): Promise<Uint8Array> {
        checkRange(offset, length, byteLength);
        return readFully(handle, offset, length);
      },
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Reads what is at places of open files, waiting for the system. Each reading lends the same buffer: what the one before gave is gone. */
export class PlaceReader {
  #lent = new Uint8Array(0);

  read({ fd, offset }: Place, byteLength: number): Uint8Array {
    if (this.#lent.length < byteLength) this.#lent = new Uint8Array(Buffer.allocUnsafeSlow(byteLength).buffer);
    for (let done = 0; done < byteLength; ) {
      const bytesRead = readSync(fd, this.#lent, done, Math.min(byteLength - done, MOST_PER_CALL), offset + done);
      if (bytesRead === 0) throw becameShorter(offset + done);
      done += bytesRead;
    }
    return this.#lent.subarray(0, byteLength);
  }

  /** What is at `place`, by range from there. */
  from({ fd, offset }: Place): (at: number, byteLength: number) => Promise<Uint8Array> {
    return async (at, byteLength) => this.read({ fd, offset: offset + at }, byteLength);
  }
}
