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
  /** It belongs to what trained the model, and not to the model. */
  readonly ofOptimizer: boolean;
}

/** What people and libraries call the state of an optimizer in a checkpoint. */
const OPTIMIZERS: ReadonlySet<PickleValue> = new Set([
  ...["optimizer", "optimizers", "optimizer_state", "optimizer_states", "optimizer_state_dict", "optim", "optim_state_dict"],
]);

/** What optimizers keep of each parameter, where their own order of things was given up. */
const OPTIMIZER_SLOTS: ReadonlySet<PickleValue> = new Set([
  ...["exp_avg", "exp_avg_sq", "max_exp_avg_sq", "exp_inf", "momentum_buffer", "square_avg", "grad_avg", "acc_delta"],
]);

/** Whether it is what `state_dict()` of an optimizer gives. */
function isOptimizer(value: PickleValue): boolean {
  return value instanceof PickleDict && value.entries.has("state") && value.entries.has("param_groups");
}

/** A key as a part of a path, as Python shows it; one that is a tuple or an object goes by its place. */
function partOf(key: PickleValue, place: number): string {
  if (key === null) return "None";
  if (typeof key === "boolean") return key ? "True" : "False";
  return typeof key === "object" ? `#${place}` : String(key);
}

/** What a value holds, by its parts of the path, and its key in a dictionary. */
function* partsOf(value: PickleValue): Generator<readonly [part: string, child: PickleValue, key?: PickleValue]> {
  if (value instanceof PickleDict) {
    let place = 0;
    for (const [key, child] of value.entries) yield [partOf(key, place++), child, key];
  } else if (value instanceof PickleTuple || value instanceof PickleList) {
    for (const [place, child] of value.items.entries()) yield [String(place), child];
  }
}

type Visit = readonly [path: string, value: PickleValue, ofOptimizer: boolean];

/** The objects that a value holds, in order, one at a time: there may be millions of references to the same. Attributes have the path of entries. */
function* childrenOf([path, value, within]: Visit): Generator<Visit, void, undefined> {
  const prefix = path === "" ? "" : `${path}.`;
  const ofOptimizer = within || isOptimizer(value);
  for (const [part, child, key] of partsOf(value)) {
    if (typeof child !== "object" || child === null) continue;
    yield [prefix + part, child, ofOptimizer || (key !== undefined && (OPTIMIZERS.has(key) || OPTIMIZER_SLOTS.has(key)))];
  }
  if (value instanceof PickleDict || value instanceof PickleObject) yield [path, value.state, ofOptimizer];
}

/**
 * The tensors that can be reached from `root`, in the order of its dictionaries and lists. A tensor's name is its path: the keys of
 * dictionaries, the places in lists and tuples and the attributes of objects on the way to it, with dots between:
 * `state_dict.module.conv1.weight`, `optimizer.state.0.exp_avg`; `alone` for one that is the root itself. What can be reached on
 * several ways has the name of the first, and cycles end where they begin. What stands under an optimizer's name, or in what an optimizer gives as its state, is the optimizer's. A storage that stands for itself is a tensor of its elements.
 *
 * @throws FormatError `LIMIT` where names are too long, or objects nest too deep
 */
export function namedTensors(root: PickleValue, alone: string): NamedTensor[] {
  const found: { name: string; tensor: TorchTensor; ofOptimizer: boolean }[] = [];
  const optimizers = new Set<PickleValue>();
  const seen = new Set<PickleValue>();
  const levels: Generator<Visit, void, undefined>[] = [];
  let characters = 0;
  let storagesAlone = 0;
  const fail = (detail: string, offset = 0): never => {
    throw new FormatError("LIMIT", offset, detail);
  };
  const visit = (from: Visit): void => {
    const [path, value, ofOptimizer] = from;
    if (typeof value !== "object" || value === null) return;
    if (!ofOptimizer) optimizers.delete(value);
    if (seen.has(value)) return;
    seen.add(value);
    if (!(value instanceof TorchTensor || value instanceof TorchStorageRef)) {
      if (levels.length === MAX_DEPTH) fail(`objects nested more than ${MAX_DEPTH} deep`);
      levels.push(childrenOf(from));
      return;
    }
    const tensor = value instanceof TorchTensor ? value : TorchTensor.whole(value);
    if (tensor !== value && ++storagesAlone > MAX_STORAGES_ALONE) fail("too many storages without a tensor", tensor.offset);
    const name = path === "" ? alone : path;
    characters += name.length;
    if (name.length > MAX_NAME_BYTES || characters > MAX_NAMES) fail("the names of the tensors are too long", tensor.offset);
    if (ofOptimizer) optimizers.add(tensor);
    found.push({ name, tensor, ofOptimizer: false });
  };
  visit(["", root, false]);
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    const next = level.next();
    if (next.done) levels.pop();
    else visit(next.value);
  }
  for (const one of found) one.ofOptimizer = optimizers.has(one.tensor);
  return found;
}
