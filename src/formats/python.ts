import { FormatError } from "../errors.js";

export interface PyTuple {
  readonly tuple: readonly PyValue[];
}
export interface PyList {
  readonly list: readonly PyValue[];
}
export type PyValue = string | number | boolean | null | PyTuple | PyList;

/** The descr of a structured array nests a few levels; the limit keeps a stranger off the stack. */
const MAX_DEPTH = 32;

const SPACE = " \t\n\r\f";
const WORDS: ReadonlyMap<string, boolean | null> = new Map([
  ["True", true],
  ["False", false],
  ["None", null],
]);

/**
 * Reads the Python literal of a .npy header: a dictionary of strings, integers, booleans, None, tuples and lists. Nothing is
 * evaluated. Escapes within strings are kept as they are: no string that means something here has one.
 */
export class PythonScanner {
  readonly #bytes: Uint8Array;
  /** Whether integers may end in L, as Python 2 wrote them. */
  readonly #python2: boolean;
  readonly #where: string;
  #pos: number;

  constructor(bytes: Uint8Array, from: number, python2: boolean, where: string) {
    this.#bytes = bytes;
    this.#pos = from;
    this.#python2 = python2;
    this.#where = where;
  }

  #fail(detail: string, code: "CORRUPT" | "LIMIT" | "DUPLICATE" = "CORRUPT", offset: number = this.#pos): never {
    throw new FormatError(code, offset, this.#where + detail);
  }

  /** The character at hand, "" at the end. */
  #char(): string {
    return this.#pos < this.#bytes.length ? String.fromCharCode(this.#bytes[this.#pos]) : "";
  }

  #skipSpace(): void {
    while (this.#pos < this.#bytes.length && SPACE.includes(this.#char())) this.#pos++;
  }

  #tryTake(char: string): boolean {
    this.#skipSpace();
    if (this.#char() !== char) return false;
    this.#pos++;
    return true;
  }

  #take(char: string): void {
    if (!this.#tryTake(char)) this.#fail(`${char} expected in the header`);
  }

  /** The whole header: one dictionary with no keys but `keys`, each once, then white space. */
  dictionary(keys: readonly string[]): Map<string, { value: PyValue; offset: number }> {
    const fields = new Map<string, { value: PyValue; offset: number }>();
    this.#take("{");
    while (!this.#tryTake("}")) {
      this.#skipSpace();
      const keyOffset = this.#pos;
      const key = this.#value(1);
      if (typeof key !== "string" || !keys.includes(key))
        this.#fail(`the header has a key other than ${keys.join(", ")}`, "CORRUPT", keyOffset);
      if (fields.has(key)) this.#fail(`the header has ${key} twice`, "DUPLICATE", keyOffset);
      this.#take(":");
      this.#skipSpace();
      const offset = this.#pos;
      fields.set(key, { value: this.#value(1), offset });
      if (this.#tryTake(",")) continue;
      this.#take("}");
      break;
    }
    this.#skipSpace();
    if (this.#pos < this.#bytes.length) this.#fail("bytes after the dictionary of the header");
    return fields;
  }

  #value(depth: number): PyValue {
    if (depth > MAX_DEPTH) this.#fail("the header nests too deep", "LIMIT");
    this.#skipSpace();
    const char = this.#char();
    if (char === "'" || char === '"') return this.#string(char);
    if (char === "[") return { list: this.#items("]", depth).items };
    if (char === "(") {
      const { items, comma } = this.#items(")", depth);
      // One value in parentheses is that value: (3,) is a tuple, (3) is not.
      return items.length === 1 && !comma ? items[0] : { tuple: items };
    }
    if (char === "-" || (char >= "0" && char <= "9")) return this.#integer();
    for (const [word, value] of WORDS) {
      if (this.#isWord(word)) return value;
    }
    return this.#fail("a value expected in the header");
  }

  #items(close: string, depth: number): { items: PyValue[]; comma: boolean } {
    const items: PyValue[] = [];
    let comma = false;
    this.#pos++;
    while (!this.#tryTake(close)) {
      items.push(this.#value(depth + 1));
      comma = this.#tryTake(",");
      if (comma) continue;
      this.#take(close);
      break;
    }
    return { items, comma };
  }

  #isWord(word: string): boolean {
    for (let i = 0; i < word.length; i++) if (this.#bytes[this.#pos + i] !== word.charCodeAt(i)) return false;
    this.#pos += word.length;
    if (/^\w$/.test(this.#char())) this.#fail("a value expected in the header");
    return true;
  }

  #string(quote: string): string {
    const from = ++this.#pos;
    for (; this.#char() !== quote; this.#pos++) {
      if (this.#char() === "\\") this.#pos++;
      if (this.#char() === "" || this.#char() === "\n") this.#fail("a string of the header does not end");
    }
    const text = Array.from(this.#bytes.subarray(from, this.#pos), (byte) => String.fromCharCode(byte)).join("");
    this.#pos++;
    return text;
  }

  #integer(): number {
    const from = this.#pos;
    const negative = this.#char() === "-";
    if (negative) this.#pos++;
    const digitsFrom = this.#pos;
    let value = 0;
    for (; this.#char() >= "0" && this.#char() <= "9"; this.#pos++) value = value * 10 + Number(this.#char());
    const digits = this.#pos - digitsFrom;
    if (digits > 0 && this.#python2 && this.#char() === "L") this.#pos++;
    if (digits === 0 || /^[\w.]$/.test(this.#char())) this.#fail("an integer expected in the header");
    if (digits > 1 && this.#bytes[digitsFrom] === 0x30) this.#fail("a number of the header starts with 0", "CORRUPT", from);
    if (value > Number.MAX_SAFE_INTEGER) this.#fail("a number of the header is 2^53 or more", "LIMIT", from);
    return negative ? 0 - value : value;
  }
}
