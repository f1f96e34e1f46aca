import { FormatError } from "../errors.js";
import type { Source } from "../types.js";

// The wire format of protocol buffers, walked where it lies: what a field says is read, what it holds is skipped unless asked for.

export const VARINT = 0;
const FIXED64 = 1;
/** A length and so many bytes: text, a message, numbers in a row. */
export const BYTES = 2;
const FIXED32 = 5;

/** One field of a message. Offsets count from the start of the file. */
export interface Field {
  readonly number: number;
  readonly wire: number;
  /** Where the field begins. */
  readonly start: number;
  /** Where its value begins, behind the tag and the length. */
  readonly at: number;
  readonly end: number;
  /** Of a varint, its value as an unsigned integer: exact below 2^53. */
  readonly value: number;
}

/** Bytes that are read at a time. */
const WINDOW_BYTES = 1 << 16;

/** A tag of 32 bits, and a varint of 64. */
const MOST_TAG_BYTES = 5;
const MOST_VARINT_BYTES = 10;
const MOST_FIELD_BYTES: number = MOST_TAG_BYTES + MOST_VARINT_BYTES;

/** The reference implementation reads no deeper. */
const MAX_DEPTH = 100;

/** Reads the fields of messages, in the order of the file. Memory: one window, and what `bytes` was asked for. */
export class ProtobufReader {
  readonly #source: Source;
  #window: Uint8Array = new Uint8Array(0);
  /** Where the window begins in the file. */
  #base = 0;
  #depth = 0;

  constructor(source: Source) {
    this.#source = source;
  }

  /**
   * Visits the fields of the message from `start` to `end`.
   *
   * @throws FormatError where they do not fill it exactly; `LIMIT` where messages nest deeper than 100
   */
  async message(start: number, end: number, visit: (field: Field) => Promise<void> | undefined): Promise<void> {
    if (this.#depth === MAX_DEPTH) throw new FormatError("LIMIT", start, `messages nest deeper than ${MAX_DEPTH}`);
    this.#depth++;
    for (let at = start; at < end; ) {
      if (this.#lacks(at, Math.min(MOST_FIELD_BYTES, end - at))) await this.#fill(at, WINDOW_BYTES);
      const field = this.#field(at, end);
      const going = visit(field);
      if (going) await going;
      at = field.end;
    }
    this.#depth--;
  }

  /** A copy of the bytes of a field's value, of which there may be `most`. */
  async bytes({ start, at, end }: Field, most: number, what: string): Promise<Uint8Array> {
    if (end - at > most) throw new FormatError("LIMIT", start, `${what} has ${end - at} bytes, more than ${most}`);
    if (this.#lacks(at, end - at)) await this.#fill(at, Math.max(WINDOW_BYTES, end - at));
    return this.#window.slice(at - this.#base, end - this.#base);
  }

  /** The numbers of a field: one, or several in a row, of which there may be `most`. */
  async varints(field: Field, most: number, what: string): Promise<number[]> {
    if (field.wire === VARINT) return [field.value];
    const bytes = await this.bytes(field, most * MOST_VARINT_BYTES, what);
    const values: number[] = [];
    for (let at = 0; at < bytes.length; ) {
      const { value, next } = varint(bytes, at, bytes.length, field.at, MOST_VARINT_BYTES, "CORRUPT");
      values.push(value);
      at = next;
    }
    return values;
  }

  #lacks(at: number, byteLength: number): boolean {
    return at < this.#base || at + byteLength > this.#base + this.#window.length;
  }

  async #fill(at: number, byteLength: number): Promise<void> {
    this.#window = await this.#source.read(at, Math.min(byteLength, this.#source.byteLength - at));
    this.#base = at;
  }

  #field(start: number, end: number): Field {
    const [bytes, base] = [this.#window, this.#base];
    const limit = Math.min(end - base, bytes.length);
    // The message that ends with the file ends where that was cut off.
    const cut = end === this.#source.byteLength ? "TRUNCATED" : "CORRUPT";
    const { value: tag, next } = varint(bytes, start - base, limit, base, MOST_TAG_BYTES, cut);
    const wire = tag % 8;
    const number = Math.floor(tag / 8);
    if (number === 0 || tag > 0xffffffff) throw new FormatError("CORRUPT", start, `${tag} is no tag of a field`);
    let at = base + next;
    let [value, length] = [0, 0];
    if (wire === VARINT || wire === BYTES) {
      const read = varint(bytes, next, limit, base, MOST_VARINT_BYTES, cut);
      value = read.value;
      if (wire === BYTES) [at, length] = [base + read.next, value];
      else length = read.next - next;
    } else if (wire === FIXED64) length = 8;
    else if (wire === FIXED32) length = 4;
    else throw new FormatError("UNSUPPORTED", start, `a field of wire type ${wire}`);
    if (length > end - at) throw new FormatError(cut, start, `field ${number} has ${length} bytes, ${Math.max(0, end - at)} are left`);
    return { number, wire, start, at, end: at + length, value };
  }
}

/**
 * An unsigned integer of at most 64 bits, as a number: exact below 2^53.
 *
 * @param base where `bytes` begin in the file
 * @param cut what it is called that `end` comes too early
 */
function varint(
  bytes: Uint8Array,
  start: number,
  end: number,
  base: number,
  most: number,
  cut: "TRUNCATED" | "CORRUPT",
): { value: number; next: number } {
  let value = 0;
  let scale = 1;
  for (let at = start; at < start + most; at++) {
    if (at >= end) throw new FormatError(cut, base + start, "a number is cut off");
    value += (bytes[at] & 127) * scale;
    if (bytes[at] < 128) return { value, next: at + 1 };
    scale *= 128;
  }
  throw new FormatError("CORRUPT", base + start, `a number of more than ${most} bytes`);
}
