import { FormatError } from "../errors.js";
import { dtypeBits } from "../types.js";
import { PickleTuple, type PickleValue } from "./pickle-values.js";
import { storageDtype } from "./pytorch-globals.js";
import { countOf, type Place, type TorchStorage, TorchStorageRef } from "./pytorch-values.js";

/** The storages that a pickle names, in the order in which it does. */
export class TorchStorages {
  readonly #byKey = new Map<string, TorchStorage>();
  readonly #where: string;

  /** @param where stands before messages */
  constructor(where: string) {
    this.#where = where;
  }

  values(): IterableIterator<TorchStorage> {
    return this.#byKey.values();
  }

  get(key: string): TorchStorage | undefined {
    return this.#byKey.get(key);
  }

  /** What stands outside of the pickle: ("storage", class, key, device, elements), and in old files the view that it is of another. */
  refer(id: PickleValue, offset: number): TorchStorageRef {
    const at: Place = { offset, where: this.#where };
    const fail = (detail: string, code: "CORRUPT" | "UNSUPPORTED" = "CORRUPT"): never => {
      throw new FormatError(code, offset, this.#where + detail);
    };
    const [kind, type, key, , elements, view = null] = id instanceof PickleTuple ? id.items : [];
    if (kind !== "storage") fail("an object outside of the pickle that is no storage", "UNSUPPORTED");
    const dtype = storageDtype(type) ?? fail("a storage of a class that is not known", "UNSUPPORTED");
    if (typeof key !== "string") return fail("a storage without a key");
    const elementBytes = dtypeBits(dtype) / 8;
    const byteLength = countOf(elements, "the size of a storage", at) * elementBytes;
    if (byteLength > Number.MAX_SAFE_INTEGER) fail("a storage of 2^53 bytes or more");
    const known = this.#byKey.get(key);
    if (known && known.byteLength !== byteLength) fail(`storage ${JSON.stringify(key)} has two sizes`);
    const storage = known ?? { key, byteLength, dtype, offset };
    if (!known) this.#byKey.set(key, storage);
    if (view === null) return new TorchStorageRef(storage, dtype, 0, byteLength);

    const [, first, count] = view instanceof PickleTuple ? view.items : [];
    const start = countOf(first, "the offset of a storage", at) * elementBytes;
    const viewBytes = countOf(count, "the size of a storage", at) * elementBytes;
    if (start > byteLength || viewBytes > byteLength - start) fail("a storage reaches past the one that it is a view of");
    return new TorchStorageRef(storage, dtype, start, viewBytes);
  }
}
