import { FormatError, type FormatErrorCode } from "../errors.js";
import { PickleTuple, type PickleValue } from "./pickle-values.js";

/**
 * What a pickle may be read into, in units of about 16 bytes. One byte of a pickle can make a dictionary of some hundred bytes of
 * memory: this holds what hostile bytes take below half a gigabyte, and is enough for a hundred thousand tensors or eight million numbers.
 */
const MAX_UNITS = 1 << 24;
const UNITS_OF_NODE = 12;
const UNIT_CHARACTERS = 8;

/** Of an entry of a map. */
export const UNITS_OF_ENTRY = 4;

/** The values of a pickle that are not yet part of others, and an account of all that were made. */
export class PickleStack {
  /** Where the opcode at hand stands, for errors. */
  offset = 0;
  readonly #where: string;
  readonly #values: PickleValue[] = [];
  readonly #marks: number[] = [];
  #units = 0;

  /** @param where stands before messages */
  constructor(where: string) {
    this.#where = where;
  }

  fail(detail: string, code: FormatErrorCode = "CORRUPT"): never {
    throw new FormatError(code, this.offset, this.#where + detail);
  }

  /** @throws FormatError `LIMIT` where the pickle has made too much */
  spend(units: number): void {
    this.#units += units;
    if (this.#units > MAX_UNITS) this.fail("a pickle of more values than are read", "LIMIT");
  }

  /** Of a string, before it is read. */
  spendString(byteLength: number): void {
    this.spend(Math.ceil(byteLength / UNIT_CHARACTERS));
  }

  /** A new value. */
  push(value: PickleValue): void {
    this.spend(typeof value === "object" && value !== null ? UNITS_OF_NODE : 1);
    this.#values.push(value);
  }

  /** One that is there already. */
  pushAgain(value: PickleValue): void {
    this.spend(1);
    this.#values.push(value);
  }

  pop(): PickleValue {
    const value = this.#values.length > (this.#marks.at(-1) ?? 0) ? this.#values.pop() : undefined;
    return value === undefined ? this.fail("more values are taken than are there") : value;
  }

  /** The last value, which stays. */
  top(): PickleValue {
    const value = this.pop();
    this.#values.push(value);
    return value;
  }

  mark(): void {
    this.spend(1);
    this.#marks.push(this.#values.length);
  }

  /** What was pushed since the last mark. */
  popMark(): PickleValue[] {
    const mark = this.#marks.pop() ?? this.fail("no mark is there");
    return this.#values.splice(mark);
  }

  /** Takes the last value away, or a mark that is behind it. */
  drop(): void {
    if (this.#marks.length > 0 && this.#marks.at(-1) === this.#values.length) this.#marks.pop();
    else this.pop();
  }

  popTuple(): readonly PickleValue[] {
    const value = this.pop();
    return value instanceof PickleTuple ? value.items : this.fail("the arguments of a call are no tuple");
  }

  tupleOf(items: readonly PickleValue[]): PickleTuple {
    this.spend(items.length);
    return new PickleTuple(items);
  }

  /** The last `count` values as a tuple. */
  popItems(count: number): PickleTuple {
    return this.tupleOf(Array.from({ length: count }, () => this.pop()).reverse());
  }

  /** The value of the pickle, which must be the only one left. */
  end(): PickleValue {
    const value = this.pop();
    if (this.#values.length > 0 || this.#marks.length > 0) this.fail("values are left over where the pickle ends");
    return value;
  }
}
