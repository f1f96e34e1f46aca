import { FormatError } from "../errors.js";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ["\\", "\\"],
  ["/", "/"],
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
]);

/** Deeper than what any program writes. */
const MOST_DEPTH = 1000;

/** Longer than any number that is meant. */
const MOST_SCALAR_CHARS = 1000;
const SCALAR = /^(?:true|false|null|NaN|-?Infinity|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)$/;

const utf8: TextDecoder = /* @__PURE__ */ new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads JSON (RFC 8259) from bytes, in one pass and by what its caller expects, so that nothing nests deeper than the caller
 * asks for. JSON.parse is no help here: it lets a later key take the place of an earlier one, rounds large integers and gives
 * no byte offsets.
 */
export class JsonScanner {
  readonly #bytes: Uint8Array;
  /** Offset in the file of the first byte. */
  readonly #base: number;
  #pos = 0;

  constructor(bytes: Uint8Array, base: number) {
    this.#bytes = bytes;
    this.#base = base;
  }

  /** Offset in the file of the next token. */
  get offset(): number {
    this.#skipSpace();
    return this.#base + this.#pos;
  }

  fail(detail: string): never {
    throw new FormatError("CORRUPT", this.#base + this.#pos, detail);
  }

  #skipSpace(): void {
    for (;;) {
      const c = this.#bytes[this.#pos];
      if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return;
      this.#pos++;
    }
  }

  #tryTake(char: string): boolean {
    this.#skipSpace();
    if (this.#bytes[this.#pos] !== char.charCodeAt(0)) return false;
    this.#pos++;
    return true;
  }

  #take(char: string, where: string): void {
    if (!this.#tryTake(char)) this.fail(`${char} expected ${where}`);
  }

  /** Nothing but white space is left. */
  end(): void {
    this.#skipSpace();
    if (this.#pos < this.#bytes.length) this.fail("bytes after the JSON");
  }

  /** Calls `field` with each key, and its offset in the file, to read the value. */
  object(title: string, field: (key: string, offset: number) => void): void {
    this.#take("{", `for ${title}`);
    if (this.#tryTake("}")) return;
    const keys = new Set<string>();
    do {
      const offset = this.offset;
      const key = this.string(`a key of ${title}`);
      if (keys.has(key)) throw new FormatError("DUPLICATE", offset, `${title} has the key ${JSON.stringify(key.slice(0, 100))} twice`);
      keys.add(key);
      this.#take(":", `after a key of ${title}`);
      field(key, offset);
    } while (this.#tryTake(","));
    this.#take("}", `at the end of ${title}`);
  }

  /** Whether the next value is an array: to read one of two forms. */
  get isArray(): boolean {
    this.#skipSpace();
    return this.#bytes[this.#pos] === 0x5b;
  }

  /** Calls `item` for each item, to read it. */
  array(title: string, item: () => void): void {
    this.#take("[", `for ${title}`);
    if (this.#tryTake("]")) return;
    do item();
    while (this.#tryTake(","));
    this.#take("]", `at the end of ${title}`);
  }

  integers(title: string): number[] {
    const items: number[] = [];
    this.array(title, () => void items.push(this.#integer(title)));
    return items;
  }

  /** Reads a value that nobody asks for. Its keys may stand twice. */
  skip(title: string): void {
    const closing: string[] = [];
    for (;;) {
      if (closing.length > MOST_DEPTH) throw new FormatError("LIMIT", this.offset, `${title} nests deeper than ${MOST_DEPTH} values`);
      if (this.#tryTake("[")) {
        if (!this.#tryTake("]")) {
          closing.push("]");
          continue;
        }
      } else if (this.#tryTake("{")) {
        if (!this.#tryTake("}")) {
          closing.push("}");
          this.#key(title);
          continue;
        }
      } else this.#scalar(title);
      // A value is read: what it is in goes on, or ends with it.
      for (;;) {
        const close = closing.at(-1);
        if (close === undefined) return;
        if (this.#tryTake(",")) {
          if (close === "}") this.#key(title);
          break;
        }
        this.#take(close, `in ${title}`);
        closing.pop();
      }
    }
  }

  #key(title: string): void {
    this.string(`a key in ${title}`);
    this.#take(":", `in ${title}`);
  }

  /** A string, a number, or a word: those of Python, too, which its json module writes and JSON does not have. */
  #scalar(title: string): void {
    this.#skipSpace();
    const start = this.#pos;
    if (this.#bytes[start] === QUOTE) return void this.string(title);
    while (/[\w.+-]/.test(String.fromCharCode(this.#bytes[this.#pos] ?? 0))) this.#pos++;
    const text = String.fromCharCode(...this.#bytes.subarray(start, Math.min(this.#pos, start + MOST_SCALAR_CHARS + 1)));
    if (!SCALAR.test(text)) throw new FormatError("CORRUPT", this.#base + start, `a value expected in ${title}`);
  }

  #integer(title: string): number {
    this.#skipSpace();
    const start = this.#pos;
    let value = 0;
    for (; ; this.#pos++) {
      const digit = this.#bytes[this.#pos] - 0x30;
      if (!(digit >= 0 && digit <= 9)) break;
      value = value * 10 + digit;
    }
    const digits = this.#pos - start;
    const next = String.fromCharCode(this.#bytes[this.#pos]);
    if (digits === 0 || ".eE".includes(next)) this.fail(`${title} must hold integers that are not negative`);
    if (digits > 1 && this.#bytes[start] === 0x30)
      throw new FormatError("CORRUPT", this.#base + start, `a number of ${title} starts with 0`);
    if (value > Number.MAX_SAFE_INTEGER) throw new FormatError("LIMIT", this.#base + start, `a number of ${title} is 2^53 or more`);
    return value;
  }

  string(title: string): string {
    this.#take('"', `for ${title}`);
    let text = "";
    let from = this.#pos;
    for (;;) {
      const c = this.#bytes[this.#pos];
      if (c === undefined) this.fail(`${title} does not end`);
      if (c < 0x20) this.fail(`a control character in ${title}`);
      if (c !== QUOTE && c !== BACKSLASH) {
        this.#pos++;
        continue;
      }
      text += this.#decoded(from, title);
      this.#pos++;
      if (c === QUOTE) return text;
      text += this.#escape(title);
      from = this.#pos;
    }
  }

  #decoded(from: number, title: string): string {
    try {
      return utf8.decode(this.#bytes.subarray(from, this.#pos));
    } catch {
      throw new FormatError("CORRUPT", this.#base + from, `${title} is not UTF-8`);
    }
  }

  #escape(title: string): string {
    const c = String.fromCharCode(this.#bytes[this.#pos] ?? 0);
    const plain = ESCAPES.get(c);
    if (plain === undefined && c !== "u") this.fail(`an escape that JSON does not have in ${title}`);
    this.#pos++;
    if (plain !== undefined) return plain;
    const unit = this.#hex(title);
    if (unit < 0xd800 || unit > 0xdfff) return String.fromCharCode(unit);
    const paired = unit < 0xdc00 && this.#bytes[this.#pos] === BACKSLASH && this.#bytes[this.#pos + 1] === 0x75;
    if (!paired) this.fail(`half a surrogate pair in ${title}`);
    this.#pos += 2;
    const low = this.#hex(title);
    if (low < 0xdc00 || low > 0xdfff) this.fail(`half a surrogate pair in ${title}`);
    return String.fromCharCode(unit, low);
  }

  #hex(title: string): number {
    const digits = String.fromCharCode(...this.#bytes.subarray(this.#pos, this.#pos + 4));
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) this.fail(`four hexadecimal digits expected in ${title}`);
    this.#pos += 4;
    return Number.parseInt(digits, 16);
  }
}
