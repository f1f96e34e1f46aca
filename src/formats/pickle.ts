import type { Source } from "../types.js";
import { BYTES_OPCODES, isString, LITERALS, text, unsigned32 } from "./pickle-literals.js";
import * as op from "./pickle-opcodes.js";
import { MAX_UNITS, PickleStack, UNITS_OF_ENTRY } from "./pickle-stack.js";
import { PickleDict, PickleGlobal, PickleList, PickleObject, PickleOpaque, type PickleValue } from "./pickle-values.js";
import { ByteWindow } from "./pickle-window.js";

/** The newest protocol, of Python 3.8 and later. */
const MAX_PROTOCOL = 5;

/** A shell holds no longer one. */
export const MAX_PICKLE_BYTES: number = 1 << 28;

/** Names of modules are short. */
const MAX_LINE_BYTES = 1024;
const MAX_SHOWN_CHARACTERS = 200;

/** Longer strings are no names of tensors, and of no more interest than bytes. */
const MAX_TEXT_BYTES = 1 << 20;

/** The magic number of PyTorch has 10 bytes. */
const MAX_LONG_BYTES = 256;

export interface PickleOptions {
  /** Stands before messages: the member's name, in a zip. */
  readonly where?: string;
  /** What it may be read into; most that any may, unless given. */
  readonly maxUnits?: number;
  /** The allow-list: what a name stands for, undefined where it is not on it. */
  global(name: string): PickleGlobal | undefined;
  /** What an object outside of the pickle is. */
  persistent?(id: PickleValue, offset: number): PickleValue;
}

/** Python 2 called it otherwise. */
function globalName(module: string, name: string): string {
  return `${module === "__builtin__" ? "builtins" : module}.${name}`;
}

/** A machine with a stack, which makes the values of `pickle-values.ts` and what the globals make, and runs nothing. */
class Unpickler {
  readonly #window: ByteWindow;
  readonly #options: PickleOptions;
  readonly #where: string;
  readonly #stack: PickleStack;
  readonly #memo = new Map<number, PickleValue>();
  readonly #globals = new Map<string, PickleGlobal>();

  constructor(window: ByteWindow, options: PickleOptions) {
    this.#window = window;
    this.#options = options;
    this.#where = options.where ?? "";
    this.#stack = new PickleStack(this.#where, options.maxUnits ?? MAX_UNITS);
  }

  async run(): Promise<PickleValue> {
    const window = this.#window;
    const stack: PickleStack = this.#stack;
    const start = window.offset;
    for (;;) {
      stack.offset = window.offset;
      if (stack.offset - start > MAX_PICKLE_BYTES) stack.fail(`a pickle of more than ${MAX_PICKLE_BYTES} bytes`, "LIMIT");
      // Awaiting takes longer than most opcodes: only where bytes have to be read.
      if (window.ready < 1) await window.fill(1);
      const opcode = window.unsigned(1);
      const payload = op.PAYLOADS[opcode];
      if (payload === undefined) stack.fail(`opcode 0x${opcode.toString(16).padStart(2, "0")} of pickle`, "UNSUPPORTED");
      if ("lines" in payload) {
        this.#named(opcode, globalName(await this.#line(), await this.#line()));
        continue;
      }
      let byteLength: number;
      if ("fixed" in payload) byteLength = payload.fixed;
      else {
        if (window.ready < payload.counted) await window.fill(payload.counted);
        byteLength = window.unsigned(payload.counted);
        if (this.#skipped(opcode, byteLength)) continue;
      }
      if (window.ready < byteLength) await window.fill(byteLength);
      const bytes = window.take(byteLength);
      if (opcode === op.STOP) return stack.end();
      const make = LITERALS.get(opcode);
      if (make) stack.push(make(bytes));
      else if (!this.#simple(opcode, bytes)) this.#compose(opcode);
    }
  }

  /** Whether what stands behind an opcode is of no interest: it is passed over. */
  #skipped(opcode: number, byteLength: number): boolean {
    if (BYTES_OPCODES.has(opcode) || (isString(opcode) && byteLength > MAX_TEXT_BYTES)) {
      this.#window.skip(byteLength);
      this.#stack.push(new PickleOpaque("bytes"));
      return true;
    }
    if (!isString(opcode) && byteLength > MAX_LONG_BYTES) this.#stack.fail(`an integer of ${byteLength} bytes`, "LIMIT");
    this.#stack.spendBytes(byteLength);
    return false;
  }

  async #line(): Promise<string> {
    const window = this.#window;
    if (window.ready < MAX_LINE_BYTES) await window.fill(Math.min(MAX_LINE_BYTES, window.left));
    const byteLength = window.lineLength();
    if (byteLength < 0 && window.left < MAX_LINE_BYTES) this.#stack.fail("a name does not end", "TRUNCATED");
    if (byteLength < 0 || byteLength >= MAX_LINE_BYTES) this.#stack.fail("a name is too long", "LIMIT");
    const line = text(window.take(byteLength));
    window.take(1);
    return line;
  }

  #named(opcode: number, name: string): void {
    const global = this.#global(name);
    this.#stack.push(opcode === op.GLOBAL ? global : this.#call(global, this.#stack.popMark()));
  }

  #global(name: string): PickleGlobal {
    const global = this.#globals.get(name) ?? this.#options.global(name);
    if (global) {
      this.#globals.set(name, global);
      return global;
    }
    const shown = JSON.stringify(name.length > MAX_SHOWN_CHARACTERS ? `${name.slice(0, MAX_SHOWN_CHARACTERS)}…` : name);
    return this.#stack.fail(
      `the pickle asks for ${shown}, which is not read: nothing of a pickle is run; save a state_dict`,
      "UNSUPPORTED",
    );
  }

  #call(callee: PickleValue, args: readonly PickleValue[]): PickleValue {
    const stack: PickleStack = this.#stack;
    if (!(callee instanceof PickleGlobal)) return stack.fail("a call of what is no name");
    if (!callee.call) return stack.fail(`a call of ${callee.name}`, "UNSUPPORTED");
    return callee.call(args, { offset: stack.offset, where: this.#where, spend: (units) => stack.spend(units) });
  }

  /** The opcodes of the stack, the memo and the framing; false for all others. */
  #simple(opcode: number, payload: Uint8Array): boolean {
    const stack: PickleStack = this.#stack;
    switch (opcode) {
      case op.PROTO:
        if (payload[0] > MAX_PROTOCOL) stack.fail(`protocol ${payload[0]} of pickle`, "VERSION");
        return true;
      case op.FRAME:
        return true;
      case op.MARK:
        stack.mark();
        return true;
      case op.POP:
        stack.drop();
        return true;
      case op.POP_MARK:
        stack.popMark();
        return true;
      case op.DUP:
        stack.pushAgain(stack.top());
        return true;
      case op.BINGET:
      case op.LONG_BINGET: {
        const index = unsigned32(payload);
        stack.pushAgain(this.#memo.get(index) ?? this.#forgotten(index));
        return true;
      }
      case op.BINPUT:
      case op.LONG_BINPUT:
      case op.MEMOIZE:
        stack.spend(UNITS_OF_ENTRY);
        this.#memo.set(opcode === op.MEMOIZE ? this.#memo.size : unsigned32(payload), stack.top());
        return true;
      default:
        return false;
    }
  }

  /** What is remembered as nothing: None may be. */
  #forgotten(index: number): null {
    return this.#memo.has(index) ? null : this.#stack.fail(`nothing is remembered as ${index}`);
  }

  /** The opcodes that make a value of others, or add to one. */
  #compose(opcode: number): void {
    const stack: PickleStack = this.#stack;
    switch (opcode) {
      case op.APPEND:
        this.#append([stack.pop()]);
        break;
      case op.APPENDS:
      case op.ADDITEMS:
        this.#append(stack.popMark());
        break;
      case op.SETITEM: {
        const value = stack.pop();
        this.#setItems([stack.pop(), value]);
        break;
      }
      case op.SETITEMS:
        this.#setItems(stack.popMark());
        break;
      case op.BUILD:
        this.#build(stack.pop());
        break;
      case op.LIST:
      case op.FROZENSET: {
        const items = stack.popMark();
        stack.push(new PickleList());
        this.#append(items);
        break;
      }
      case op.DICT: {
        const items = stack.popMark();
        stack.push(new PickleDict());
        this.#setItems(items);
        break;
      }
      default:
        stack.push(this.#made(opcode));
    }
  }

  #made(opcode: number): PickleValue {
    const stack: PickleStack = this.#stack;
    switch (opcode) {
      case op.TUPLE1:
        return stack.popItems(1);
      case op.TUPLE2:
        return stack.popItems(2);
      case op.TUPLE3:
        return stack.popItems(3);
      case op.TUPLE:
        return stack.tupleOf(stack.popMark());
      case op.STACK_GLOBAL: {
        const name = stack.pop();
        const module = stack.pop();
        if (typeof name !== "string" || typeof module !== "string") return stack.fail("a name is no string");
        return this.#global(globalName(module, name));
      }
      case op.NEWOBJ_EX:
        // Arguments by name, of which nothing depends.
        stack.pop();
        return this.#reduced();
      case op.REDUCE:
      case op.NEWOBJ:
        return this.#reduced();
      case op.OBJ: {
        const [callee = null, ...args] = stack.popMark();
        return this.#call(callee, args);
      }
      case op.BINPERSID: {
        const value = this.#options.persistent?.(stack.pop(), stack.offset);
        return value ?? stack.fail("an object outside of the pickle", "UNSUPPORTED");
      }
      default:
        throw new RangeError(`opcode ${opcode} must have its case`);
    }
  }

  #reduced(): PickleValue {
    const args = this.#stack.popTuple();
    return this.#call(this.#stack.pop(), args);
  }

  #append(items: readonly PickleValue[]): void {
    const stack: PickleStack = this.#stack;
    const list = stack.top();
    if (!(list instanceof PickleList)) stack.fail("items are added to what is no list");
    stack.append(list, items);
  }

  #setItems(items: readonly PickleValue[]): void {
    const stack: PickleStack = this.#stack;
    const dict = stack.top();
    if (!(dict instanceof PickleDict)) stack.fail("keys are set in what is no dictionary");
    if (items.length % 2 !== 0) stack.fail("a key without a value");
    stack.spend(UNITS_OF_ENTRY * (items.length / 2));
    for (let i = 0; i < items.length; i += 2) dict.entries.set(items[i], items[i + 1]);
  }

  #build(state: PickleValue): void {
    const target = this.#stack.top();
    if (target instanceof PickleDict || target instanceof PickleObject) target.state = state;
    else if (!(target instanceof PickleOpaque)) this.#stack.fail("attributes are set in what has none that are known", "UNSUPPORTED");
  }
}

/**
 * Reads the pickle that starts at `from`. No code is run: a name that is not on the allow-list is refused where it is read, and
 * those on it make plain values. Memory is bounded whatever the bytes say; nothing recurses, and cycles are as harmless as in
 * Python: they are in what comes back.
 *
 * @returns the value, and where the pickle ends
 * @throws FormatError `UNSUPPORTED` for a name, a call or an opcode that is not known, and others; offsets are in `source`
 */
export async function unpickle(source: Source, from: number, options: PickleOptions): Promise<{ value: PickleValue; end: number }> {
  const window = new ByteWindow(source, from, options.where);
  const value = await new Unpickler(window, options).run();
  return { value, end: window.offset };
}
