import { FormatError, type FormatErrorCode } from "../errors.js";
import { PickleDict, type PickleList, PickleTuple, type PickleValue } from "./pickle-values.js";

/**
 * What a pickle may be read into, in units of 16 bytes: 400 MB, counted by what its values take in memory, and what is made of them later. A byte of a pickle can make a dictionary of
 * 300 bytes. It is enough for a hundred thousand tensors or twelve million numbers.
 */
export const MAX_UNITS: number = 3 << 23;

/** An object with its entry among those that were seen; a dictionary has a table from the beginning, a list from its first item on. */
const UNITS_OF_OBJECT = 10;
const UNITS_OF_DICTIONARY = 20;
const UNITS_OF_FIRST_ITEM = 10;
/** A number beyond 32 bits, or a string, before its characters. */
const UNITS_OF_BOX = 2;
const UNIT_CHARACTERS = 8;

/** Of an entry of a map, whose table doubles. */
export const UNITS_OF_ENTRY = 5;

function unitsOf(value: PickleValue): number {
  if (typeof value === "object" && value !== null) return value instanceof PickleDict ? UNITS_OF_DICTIONARY : UNITS_OF_OBJECT;
  return typeof value === "string" || typeof value === "bigint" || !isSmall(value) ? UNITS_OF_BOX : 1;
}

/** Whether a value takes no more than its place. */
function isSmall(value: PickleValue): boolean {
  return typeof value !== "number" || (value | 0) === value;
}

/** The values of a pickle that are not yet part of others, and an account of all that were made. */
export class PickleStack {
  /** Where the opcode at hand stands, for errors. */
  offset = 0;
  readonly #where: string;
  readonly #values: PickleValue[] = [];
  readonly #marks: number[] = [];
  readonly #maxUnits: number;
  #units = 0;

  /** @param where stands before messages */
  constructor(where: string, maxUnits: number) {
    this.#where = where;
    this.#maxUnits = maxUnits;
  }

  fail(detail: string, code: FormatErrorCode = "CORRUPT"): never {
    throw new FormatError(code, this.offset, this.#where + detail);
  }

  /** @throws FormatError `LIMIT` where the pickle has made too much */
  spend(units: number): void {
    this.#units += units;
    if (this.#units > this.#maxUnits) this.fail("a pickle of more values than are read", "LIMIT");
  }

  /** Of a string or a long integer, before it is read. */
  spendBytes(byteLength: number): void {
    this.spend(Math.ceil(byteLength / UNIT_CHARACTERS));
  }

  /** A new value. */
  push(value: PickleValue): void {
    this.spend(unitsOf(value));
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

  append(list: PickleList, items: readonly PickleValue[]): void {
    this.spend(items.length + (list.items.length === 0 ? UNITS_OF_FIRST_ITEM : 0));
    for (const item of items) list.items.push(item);
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
