import { FormatError } from "../errors.js";
import { MAX_VARINT } from "./limits.js";
import { MOST_VARINT_BYTES } from "./sizes.js";

/** Reads fields from bytes that are not trusted. Offsets in errors count from the start of the archive. */
export class ByteReader {
  readonly bytes: Uint8Array;
  /** Where `bytes` begins in the archive. */
  readonly base: number;
  /** Bytes of `bytes` that were read. */
  position = 0;

  constructor(bytes: Uint8Array, base = 0) {
    this.bytes = bytes;
    this.base = base;
  }

  /** Offset of the next byte in the archive. */
  get offset(): number {
    return this.base + this.position;
  }

  get left(): number {
    return this.bytes.length - this.position;
  }

  u8(what: string): number {
    if (this.left < 1) throw new FormatError("TRUNCATED", this.offset, `${what} is cut off`);
    return this.bytes[this.position++];
  }

  u32(what: string): number {
    const b = this.take(4, what);
    return (b[0] | (b[1] << 8) | (b[2] << 16) | (b[3] << 24)) >>> 0;
  }

  /** An unsigned integer below 2^53, in its shortest form. */
  varint(what: string): number {
    const start = this.offset;
    let value = 0;
    let scale = 1;
    for (let i = 0; i < MOST_VARINT_BYTES; i++) {
      const byte = this.u8(what);
      value += (byte & 127) * scale;
      if (byte < 128) {
        if (value > MAX_VARINT) break;
        if (byte === 0 && i > 0) throw new FormatError("CORRUPT", start, `${what} is not in its shortest form`);
        return value;
      }
      scale *= 128;
    }
    throw new FormatError("CORRUPT", start, `${what} is 2^53 or more`);
  }

  /** The next `byteLength` bytes, not copied. */
  take(byteLength: number, what: string): Uint8Array {
    if (byteLength > this.left) {
      throw new FormatError("TRUNCATED", this.offset, `${what} needs ${byteLength} bytes, ${this.left} are left`);
    }
    this.position += byteLength;
    return this.bytes.subarray(this.position - byteLength, this.position);
  }

  text(byteLength: number, what: string): string {
    const start = this.offset;
    return decodeUtf8(this.take(byteLength, what), start, what);
  }

  /** @throws FormatError `TRAILING` where bytes are left. */
  end(what: string): void {
    if (this.left > 0) throw new FormatError("TRAILING", this.offset, `${this.left} bytes are left after ${what}`);
  }
}

export function decodeUtf8(bytes: Uint8Array, offset: number, what: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new FormatError("CORRUPT", offset, `${what} is not UTF-8`);
  }
}

/** Bytes one after another, copied once. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Collects fields. */
export class ByteWriter {
  #bytes = new Uint8Array(64);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  u8(value: number): this {
    this.#room(1)[this.#length++] = value;
    return this;
  }

  u32(value: number): this {
    return this.u8(value & 255)
      .u8((value >>> 8) & 255)
      .u8((value >>> 16) & 255)
      .u8(value >>> 24);
  }

  varint(value: number): this {
    let rest = value;
    while (rest >= 128) {
      this.u8((rest % 128) + 128);
      rest = Math.floor(rest / 128);
    }
    return this.u8(rest);
  }

  bytes(bytes: Uint8Array): this {
    this.#room(bytes.length).set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  /** A text with its length before it. */
  text(text: string): this {
    const bytes = new TextEncoder().encode(text);
    return this.varint(bytes.length).bytes(bytes);
  }

  /** All that was written; the writer starts anew. */
  finish(): Uint8Array {
    const done = this.#bytes.slice(0, this.#length);
    this.#length = 0;
    return done;
  }

  #room(byteLength: number): Uint8Array {
    const need = this.#length + byteLength;
    if (need > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(need, 2 * this.#bytes.length));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    return this.#bytes;
  }
}

/** Bytes that `value` takes as a varint. */
export function varintByteLength(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}

/**
 * Zero-filled bytes for what an archive holds, which the runtime may be unable to give.
 *
 * @throws FormatError `LIMIT` at `offset`
 */
export function allocate(byteLength: number, what: string, offset = 0): Uint8Array {
  try {
    return new Uint8Array(byteLength);
  } catch {
    throw new FormatError("LIMIT", offset, `${what} of ${byteLength} bytes cannot be allocated here`);
  }
}
