import type { Source } from "../types.js";
import { checkRange } from "./bytes-source.js";

const WINDOW_BYTES = 1 << 16;

/** Longer readings are not worth a copy. */
const MOST_SERVED_BYTES = WINDOW_BYTES / 4;

/**
 * A source whose small readings, close behind one another, ask the system once for many: a zip of a hundred thousand members, or an HDF5 file of as many datasets, has as many
 * headers. They are views of one window, which is not changed any more once another is read.
 */
export function readAhead(source: Source): Source {
  const { byteLength: end } = source;
  let base = 0;
  let window: Uint8Array = new Uint8Array(0);
  return {
    ...source,
    async read(offset: number, byteLength: number): Promise<Uint8Array> {
      checkRange(offset, byteLength, end);
      if (byteLength > MOST_SERVED_BYTES) return source.read(offset, byteLength);
      if (offset < base || offset + byteLength > base + window.length) {
        const read = (await source.read(offset, Math.min(WINDOW_BYTES, end - offset))).slice();
        window = read;
        base = offset;
        return read.subarray(0, byteLength);
      }
      return window.subarray(offset - base, offset - base + byteLength);
    },
    close: () => source.close(),
  };
}
