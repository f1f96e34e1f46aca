import { FormatError } from "../errors.js";
import type { Source } from "../types.js";

/** What is read at a time. */
const WINDOW_BYTES = 1 << 16;

const NOTHING: Uint8Array = /* @__PURE__ */ new Uint8Array(0);

/** A source read from a place onward: as much as is asked for is at hand, and little more. */
export class ByteWindow {
  readonly #source: Source;
  readonly #where: string;
  #bytes: Uint8Array = NOTHING;
  #view: DataView = new DataView(this.#bytes.buffer);
  #at = 0;
  /** Of the first byte at hand. */
  #base: number;

  /** @param where stands before messages */
  constructor(source: Source, offset: number, where = "") {
    this.#source = source;
    this.#where = where;
    this.#base = offset;
  }

  /** Bytes from the start of the source to the next one. */
  get offset(): number {
    return this.#base + this.#at;
  }

  /** Bytes at hand. */
  get ready(): number {
    return this.#bytes.length - this.#at;
  }

  /** Bytes from the next one to the end of the source. */
  get left(): number {
    return this.#source.byteLength - this.offset;
  }

  /**
   * Brings `byteLength` bytes to hand.
   *
   * @throws FormatError `TRUNCATED` where the source has fewer
   */
  async fill(byteLength: number): Promise<void> {
    const { offset, left } = this;
    this.#check(byteLength);
    this.#bytes = await this.#source.read(offset, Math.min(left, Math.max(byteLength, WINDOW_BYTES)));
    this.#view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.byteLength);
    this.#base = offset;
    this.#at = 0;
  }

  /**
   * Passes over bytes, whether they are at hand or not.
   *
   * @throws FormatError `TRUNCATED` where the source has fewer
   */
  skip(byteLength: number): void {
    this.#check(byteLength);
    if (byteLength <= this.ready) this.#at += byteLength;
    else {
      this.#base = this.offset + byteLength;
      this.#at = 0;
      this.#bytes = NOTHING;
    }
  }

  #check(byteLength: number): void {
    const { offset, left } = this;
    if (byteLength > left) throw new FormatError("TRUNCATED", offset, `${this.#where}${byteLength} bytes are announced, ${left} are there`);
  }

  /** The next bytes, which must be at hand; the view holds until the next `fill`. */
  take(byteLength: number): Uint8Array {
    if (byteLength === 0) return NOTHING;
    const from = this.#at;
    if (byteLength > this.#bytes.length - from) throw new RangeError(`${byteLength} bytes are not at hand`);
    this.#at += byteLength;
    return this.#bytes.subarray(from, from + byteLength);
  }

  /** An unsigned integer of 1, 2, 4 or 8 bytes, which must be at hand; above 2^53 it is rounded. */
  unsigned(byteLength: 1 | 2 | 4 | 8): number {
    const at = this.#at;
    this.#at += byteLength;
    if (byteLength === 1) return this.#view.getUint8(at);
    if (byteLength === 2) return this.#view.getUint16(at, true);
    if (byteLength === 4) return this.#view.getUint32(at, true);
    return Number(this.#view.getBigUint64(at, true));
  }

  /** How many bytes at hand stand before the next line feed; -1 where none is at hand. */
  lineLength(): number {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    return end < 0 ? -1 : end - this.#at;
  }
}
