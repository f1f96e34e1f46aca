import { MAX_NAME_BYTES } from "../archive/limits.js";
import { FormatError } from "../errors.js";
import { PickleDict, PickleList, PickleObject, PickleTuple, type PickleValue } from "./pickle-values.js";
import { TorchStorageRef, TorchTensor } from "./pytorch-values.js";

/** Characters of all names together: real ones have a hundred each, hostile ones would multiply. */
const MAX_NAMES = 1 << 26;

export interface NamedTensor {
  readonly name: string;
  readonly tensor: TorchTensor;
}

interface Visit {
  readonly path: string;
  readonly value: PickleValue;
}

/** A key as a part of a path, as Python shows it; one that is a tuple or an object goes by its place. */
function partOf(key: PickleValue, place: number): string {
  if (key === null) return "None";
  if (typeof key === "boolean") return key ? "True" : "False";
  return typeof key === "object" ? `#${place}` : String(key);
}

/** What a value holds, by its parts of the path. */
function* partsOf(value: PickleValue): Generator<readonly [part: string, child: PickleValue]> {
  if (value instanceof PickleDict) {
    let place = 0;
    for (const [key, child] of value.entries) yield [partOf(key, place++), child];
  } else if (value instanceof PickleTuple || value instanceof PickleList) {
    for (const [place, child] of value.items.entries()) yield [String(place), child];
  }
}

/** The objects that a value holds, in order. Attributes have the path of entries. */
function childrenOf({ path, value }: Visit): Visit[] {
  const prefix = path === "" ? "" : `${path}.`;
  const children: Visit[] = [];
  for (const [part, child] of partsOf(value)) {
    if (typeof child === "object" && child !== null) children.push({ path: prefix + part, value: child });
  }
  if (value instanceof PickleDict || value instanceof PickleObject) children.push({ path, value: value.state });
  return children;
}

/**
 * The tensors that can be reached from `root`, in the order of its dictionaries and lists. A tensor's name is its path: the keys of
 * dictionaries, the places in lists and tuples and the attributes of objects on the way to it, with dots between:
 * `state_dict.module.conv1.weight`, `optimizer.state.0.exp_avg`; `alone` for one that is the root itself. What can be reached on
 * several ways has the name of the first, and cycles end where they begin. A storage that stands for itself is a tensor of its elements.
 *
 * @throws FormatError `LIMIT` where names are too long
 */
export function namedTensors(root: PickleValue, alone: string): NamedTensor[] {
  const found: NamedTensor[] = [];
  const seen = new Set<PickleValue>();
  const waiting: Visit[] = [{ path: "", value: root }];
  let characters = 0;
  for (let visit = waiting.pop(); visit !== undefined; visit = waiting.pop()) {
    const { path, value } = visit;
    if (typeof value !== "object" || value === null || seen.has(value)) continue;
    seen.add(value);
    if (value instanceof TorchTensor || value instanceof TorchStorageRef) {
      const tensor = value instanceof TorchTensor ? value : TorchTensor.whole(value);
      const name = path === "" ? alone : path;
      characters += name.length;
      if (name.length > MAX_NAME_BYTES || characters > MAX_NAMES) {
        throw new FormatError("LIMIT", tensor.offset, "the names of the tensors are too long");
      }
      found.push({ name, tensor });
      continue;
    }
    for (const child of childrenOf(visit).reverse()) waiting.push(child);
  }
  return found;
}
