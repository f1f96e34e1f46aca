import { checkInteger } from "../check.js";

declare const address: unique symbol;
/** Byte address in the memory of a kernel module. What `alloc` gives is 16-aligned, so a v128 load at it is aligned. */
export type Ptr = number & { readonly [address]: true };

const ALIGN = 16;
const PAGE_BYTES = 65536;

/**
 * Bytes that stay within memory after the last allocation. A kernel may read or write up to 16 bytes past the end of a buffer
 * (a whole v128 at its last byte) and still never trap; what it writes there may fall into the buffer that was allocated next.
 */
const SLACK = 64;

/** All that wasm32 can address. */
const MOST_BYTES = 65536 * PAGE_BYTES;

/** The address `byteOffset` bytes into a buffer. */
export function at(ptr: Ptr, byteOffset: number): Ptr {
  return (ptr + byteOffset) as Ptr;
}

/** An address that a kernel returned: wasm's i32 arrives signed, and addresses pass 2 GiB. */
export function toPtr(i32: number): Ptr {
  return (i32 >>> 0) as Ptr;
}

/**
 * The memory of a kernel module. Kernels allocate nothing: buffers are taken here, within a `scope` that gives them back.
 *
 * Any `alloc`, `reserve` or `scope` may grow the memory, and growth detaches every view taken before: ask for a view
 * (`u8`, `f32`, …) after the last allocation and do not keep it.
 */
export class Arena {
  readonly #memory: WebAssembly.Memory;
  #top: number;

  /** `base` is the first byte that the module itself does not use. */
  constructor(memory: WebAssembly.Memory, base: number) {
    this.#memory = memory;
    this.#top = Math.ceil(base / ALIGN) * ALIGN;
  }

  /** Where the next allocation will start. */
  get top(): number {
    return this.#top;
  }

  /** Bytes of the module's memory now. It never shrinks. */
  get byteLength(): number {
    return this.#memory.buffer.byteLength;
  }

  /** Runs `body`, which must be synchronous, then gives back all that was allocated in it, also when it throws. */
  scope<T>(body: () => T): T {
    const mark = this.#top;
    try {
      return body();
    } finally {
      this.#top = mark;
    }
  }

  /** Gives back all that was allocated since the next allocation would have started at `mark`. */
  release(mark: number): void {
    this.#top = Math.min(this.#top, mark);
  }

  /**
   * `byteLength` bytes, 16-aligned, holding whatever was there before.
   *
   * @throws RangeError where the memory cannot grow that far; the arena is then as it was.
   */
  alloc(byteLength: number): Ptr {
    checkInteger(byteLength, "byteLength", 0, MOST_BYTES);
    const ptr = this.#top;
    const top = ptr + Math.ceil(byteLength / ALIGN) * ALIGN; // not `&`: addresses pass 2^31
    this.#growTo(top + SLACK);
    this.#top = top;
    return ptr as Ptr;
  }

  /** Grows the memory once for allocations of `byteLength` bytes in all, of which each is rounded up to 16. */
  reserve(byteLength: number): void {
    checkInteger(byteLength, "byteLength", 0, MOST_BYTES);
    this.#growTo(this.#top + byteLength + SLACK);
  }

  u8(ptr: Ptr, length: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#buffer, ptr, length);
  }

  u16(ptr: Ptr, length: number): Uint16Array<ArrayBuffer> {
    return new Uint16Array(this.#buffer, ptr, length);
  }

  u32(ptr: Ptr, length: number): Uint32Array<ArrayBuffer> {
    return new Uint32Array(this.#buffer, ptr, length);
  }

  f32(ptr: Ptr, length: number): Float32Array<ArrayBuffer> {
    return new Float32Array(this.#buffer, ptr, length);
  }

  f64(ptr: Ptr, length: number): Float64Array<ArrayBuffer> {
    return new Float64Array(this.#buffer, ptr, length);
  }

  get #buffer(): ArrayBuffer {
    return this.#memory.buffer as ArrayBuffer;
  }

  #growTo(byteLength: number): void {
    const missing = byteLength - this.#memory.buffer.byteLength;
    if (missing <= 0) return;
    try {
      this.#memory.grow(Math.ceil(missing / PAGE_BYTES));
    } catch {
      throw new RangeError(`cannot grow the memory of the kernels from ${this.byteLength} to ${byteLength} bytes`);
    }
  }
}
