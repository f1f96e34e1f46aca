import type { TensorEntry } from "../archive/header.js";
import { plainBytes } from "../check.js";
import { FormatError } from "../errors.js";
import type { RecordPlan } from "../kernel-types.js";
import type { Tensor } from "../types.js";
import { blockByteLength } from "./record.js";

/** Where tensors are decoded to. */
export interface TensorOptions {
  /**
   * Gives a tensor's own buffer, of exactly `tensor.byteLength` bytes: its `data` will be that buffer, whatever it held before, and nothing is allocated for it. Fastest
   * where the buffer starts at a multiple of the element's bytes. After an error it may hold a part of the tensor. Of a stream,
   * what a tensor is said to have is not proven yet when this is called: `maxBytes` bounds it.
   */
  readonly into?: (tensor: TensorEntry) => Uint8Array;
}

/** Where the blocks of a tensor go, one after another. */
export class Destination {
  #blank: boolean;
  readonly #entry: TensorEntry;
  readonly #given: Uint8Array | undefined;
  #data: Uint8Array;
  #filled = 0;

  /**
   * @param trusted there are as many bytes as the archive says: the whole may be allocated at once, and not only what blocks that came ask for
   * @throws TypeError, RangeError where `into` gives another buffer than it should
   */
  constructor(entry: TensorEntry, trusted: boolean, { into }: TensorOptions) {
    this.#entry = entry;
    this.#given = into?.(entry);
    this.#blank = into === undefined;
    this.#data = into === undefined ? allocate(trusted ? entry.byteLength : 0) : checked(this.#given, entry);
  }

  /** What `room` gave last holds zeros, or will be written whole. */
  get blank(): boolean {
    return this.#blank;
  }

  /** Room for the next block. */
  room(plan: RecordPlan, index: number): Uint8Array {
    if (!this.#blank) {
      // Tens of megabytes at once are cleared without being brought into the cache, several times as fast as block by block.
      if (plan.coding === "sparse") this.#data.fill(0);
      this.#blank = true;
    }
    const byteLength = blockByteLength(plan, index);
    const need = this.#filled + byteLength;
    if (need > this.#data.length) {
      const larger = allocate(Math.min(this.#entry.byteLength, Math.max(need, 2 * this.#data.length)));
      larger.set(this.#data);
      this.#data = larger;
    }
    this.#filled = need;
    return this.#data.subarray(need - byteLength, need);
  }

  finish(): Tensor {
    const { name, dtype, shape } = this.#entry;
    return { name, dtype, shape, data: this.#given ?? this.#data };
  }
}

function checked(given: unknown, { name, byteLength }: TensorEntry): Uint8Array {
  const title = `what into gives for ${JSON.stringify(name)}`;
  const bytes = plainBytes(given, title);
  if (bytes.length !== byteLength) throw new RangeError(`${title} must have ${byteLength} bytes, got ${bytes.length}`);
  return bytes;
}

/** A zero-filled buffer of a tensor's bytes, which the runtime may be unable to give. */
function allocate(byteLength: number): Uint8Array {
  try {
    return new Uint8Array(byteLength);
  } catch {
    throw new FormatError("LIMIT", 0, `a tensor of ${byteLength} bytes cannot be allocated here`);
  }
}
