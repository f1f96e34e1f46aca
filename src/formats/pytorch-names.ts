import { MAX_NAME_BYTES } from "../archive/limits.js";
import { FormatError } from "../errors.js";
import { PickleDict, PickleList, PickleObject, PickleTuple, type PickleValue } from "./pickle-values.js";
import { TorchStorageRef, TorchTensor } from "./pytorch-values.js";

/** Characters of all names together: real ones have a hundred each, hostile ones would multiply. */
const MAX_NAMES = 1 << 25;

/** No model nests what it saves so deep; for each level something is held. */
const MAX_DEPTH = 1000;

/** Storages that are saved by themselves, and not under a tensor: few are. */
const MAX_STORAGES_ALONE = 1 << 16;

export interface NamedTensor {
  readonly name: string;
  readonly tensor: TorchTensor;
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

type Visit = readonly [path: string, value: PickleValue];

/** The objects that a value holds, in order, one at a time: there may be millions of references to the same. Attributes have the path of entries. */
function* childrenOf(path: string, value: PickleValue): Generator<Visit, void, undefined> {
  const prefix = path === "" ? "" : `${path}.`;
  for (const [part, child] of partsOf(value)) {
    if (typeof child === "object" && child !== null) yield [prefix + part, child];
  }
  if (value instanceof PickleDict || value instanceof PickleObject) yield [path, value.state];
}

/**
 * The tensors that can be reached from `root`, in the order of its dictionaries and lists. A tensor's name is its path: the keys of
 * dictionaries, the places in lists and tuples and the attributes of objects on the way to it, with dots between:
 * `state_dict.module.conv1.weight`, `optimizer.state.0.exp_avg`; `alone` for one that is the root itself. What can be reached on
 * several ways has the name of the first, and cycles end where they begin. A storage that stands for itself is a tensor of its elements.
 *
 * @throws FormatError `LIMIT` where names are too long, or objects nest too deep
 */
export function namedTensors(root: PickleValue, alone: string): NamedTensor[] {
  const found: NamedTensor[] = [];
  const seen = new Set<PickleValue>();
  const levels: Generator<Visit, void, undefined>[] = [];
  let characters = 0;
  let storagesAlone = 0;
  const fail = (detail: string, offset = 0): never => {
    throw new FormatError("LIMIT", offset, detail);
  };
  const visit = ([path, value]: Visit): void => {
    if (typeof value !== "object" || value === null || seen.has(value)) return;
    seen.add(value);
    if (!(value instanceof TorchTensor || value instanceof TorchStorageRef)) {
      if (levels.length === MAX_DEPTH) fail(`objects nested more than ${MAX_DEPTH} deep`);
      levels.push(childrenOf(path, value));
      return;
    }
    const tensor = value instanceof TorchTensor ? value : TorchTensor.whole(value);
    if (tensor !== value && ++storagesAlone > MAX_STORAGES_ALONE) fail("too many storages without a tensor", tensor.offset);
    const name = path === "" ? alone : path;
    characters += name.length;
    if (name.length > MAX_NAME_BYTES || characters > MAX_NAMES) fail("the names of the tensors are too long", tensor.offset);
    found.push({ name, tensor });
  };
  visit(["", root]);
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    const next = level.next();
    if (next.done) levels.pop();
    else visit(next.value);
  }
  return found;
}
