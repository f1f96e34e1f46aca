import { Deflate, Inflate } from "pako";
import { checkInteger } from "../check.js";
import { FormatError } from "../errors.js";
import { allocate } from "./bytes.js";

// The only file of the archive's that stands on a package. pako is a port of zlib that repeats its every decision, which no runtime's own deflate is bound to;
// and inflating with it, too, every runtime takes and refuses the same streams.

const DEFLATE_OUTPUT_BYTES = 65536;

/**
 * The raw deflate stream of `chunks`, as zlib makes it with windowBits 15 and memLevel 8, whose output does not depend on how its input is cut
 * (test/archive/template.test.ts).
 */
export async function* deflated(chunks: AsyncIterable<Uint8Array>, level: number): AsyncGenerator<Uint8Array> {
  checkInteger(level, "level", 1, 9);
  const ready: Uint8Array[] = [];
  const stream = new Deflate({
    level: level as 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9,
    raw: true,
    windowBits: 15,
    memLevel: 8,
    chunkSize: DEFLATE_OUTPUT_BYTES,
  });
  stream.onData = (chunk) => ready.push(chunk as Uint8Array);
  for await (const chunk of chunks) {
    // One step of input gives at most a few of output, so that they do not pile up.
    for (let at = 0; at < chunk.length; at += DEFLATE_OUTPUT_BYTES) {
      stream.push(chunk.subarray(at, at + DEFLATE_OUTPUT_BYTES), false);
      yield* ready.splice(0);
    }
  }
  stream.push(new Uint8Array(0), true);
  yield* ready;
}

/**
 * Inflates a raw deflate stream, never to more than it should give.
 *
 * @param offset where the stream begins in the archive
 * @throws FormatError `CORRUPT` where the stream is broken, ends before its last byte, or holds fewer or more than `byteLength` bytes; `LIMIT` where this runtime cannot allocate them
 */
export function inflateRaw(stream: Uint8Array, byteLength: number, offset: number): Uint8Array {
  const corrupt = (detail: string): FormatError => new FormatError("CORRUPT", offset, `the template ${detail}`);
  const out = allocate(byteLength, "a template", offset);
  let at = 0;
  const inflate = new Inflate({ raw: true });
  inflate.onData = (chunk) => {
    const bytes = chunk as Uint8Array;
    if (bytes.length > byteLength - at) throw corrupt(`inflates to more than ${byteLength} bytes`);
    out.set(bytes, at);
    at += bytes.length;
  };
  // Once its stream has ended pako takes nothing more: the last byte on its own shows whether it was needed.
  inflate.push(stream.subarray(0, -1), false);
  const whole = inflate.push(stream.subarray(-1), true);
  if (inflate.err !== 0) throw corrupt(`does not inflate: ${inflate.msg || `zlib error ${inflate.err}`}`);
  if (!whole) throw corrupt("has bytes after its stream");
  if (at !== byteLength) throw corrupt(`inflates to ${at} bytes, not ${byteLength}`);
  return out;
}
