import { orderMatters } from "../archive/order.js";
import { type Dtype, dtypeBits, type Role, type TensorInfo, tensorByteLength } from "../types.js";
import type { NamedTensor } from "./pytorch-names.js";
import type { TorchStorage, TorchTensor } from "./pytorch-values.js";

/** Bytes of a storage that no tensor shows are kept in the template, up to so many in one run. */
const MOST_LITERAL_BYTES = 4096;

/** One tensor of the model: a run of bytes of a storage. */
export interface Placed {
  readonly info: TensorInfo;
  readonly storage: TorchStorage;
  /** Within the storage. */
  readonly start: number;
  readonly end: number;
  readonly columnMajor: boolean;
  readonly role: Role;
}

interface View extends NamedTensor {
  /** Its place among all tensors. */
  readonly order: number;
}

interface Run {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly name: string;
  readonly columnMajor?: boolean;
}

/** Axes longer than 1, as [length, stride]: the others do not move an element. */
function longAxes({ shape, strides }: TorchTensor): [length: number, stride: number, axis: number][] {
  return shape.map((axis, i): [number, number, number] => [axis, strides[i], i]).filter(([axis]) => axis > 1);
}

/** Whether the axes, the last one innermost, walk one element after another. */
function isDense(axes: readonly (readonly [length: number, stride: number, axis: number])[]): boolean {
  let stride = 1;
  for (const [length, actual] of [...axes].reverse()) {
    if (actual !== stride) return false;
    stride *= length;
  }
  return true;
}

/**
 * A tensor as the run of bytes that it takes, where each of them is of one element: as it is, as one in column-major order, or
 * with its axes in the order of the storage. The fewer the better; undefined for all others.
 */
function runOf({ name, tensor }: View, mostTurned: number): (Run & { readonly turns: number }) | undefined {
  const { dtype, shape, start, end } = tensor;
  const axes = longAxes(tensor);
  if (isDense(axes)) return { turns: 0, name, dtype, shape };
  if (isDense([...axes].reverse()) && orderMatters(shape) && end - start <= mostTurned) {
    return { turns: 1, name, dtype, shape, columnMajor: true };
  }
  const stored = [...axes].sort((a, b) => b[1] - a[1] || a[2] - b[2]);
  if (!isDense(stored)) return undefined;
  const short = shape.flatMap((axis, i) => (axis === 1 ? [i] : []));
  const all = [...stored.map(([, , axis]) => axis), ...short];
  return { turns: 2, name: `${name} (axes ${all.join(", ")})`, dtype, shape: all.map((axis) => shape[axis]) };
}

/** Views whose bytes overlap, from the first byte of one of them to the last. */
interface Cluster {
  readonly start: number;
  end: number;
  readonly views: View[];
}

function clustersOf(views: readonly View[]): Cluster[] {
  const clusters: Cluster[] = [];
  const sorted = [...views].sort((a, b) => a.tensor.start - b.tensor.start || a.order - b.order);
  for (const view of sorted) {
    const { start, end } = view.tensor;
    const last = clusters.at(-1);
    if (last && start < last.end) {
      last.end = Math.max(last.end, end);
      last.views.push(view);
    } else clusters.push({ start, end, views: [view] });
  }
  return clusters;
}

/** The tensor that stands for a cluster: one of its views that takes all bytes of it, or else the bytes as they are. */
function runOfCluster({ start, end, views }: Cluster, mostTurned: number): Run {
  let best: ReturnType<typeof runOf>;
  for (const view of views) {
    const run = view.tensor.start === start && view.tensor.end === end ? runOf(view, mostTurned) : undefined;
    if (run && run.turns < (best?.turns ?? Number.POSITIVE_INFINITY)) best = run;
  }
  if (best) return best;
  const dtype = views.every(({ tensor }) => tensor.dtype === views[0].tensor.dtype) ? views[0].tensor.dtype : "U8";
  return bytesRun(`${firstOf(views).name} (as stored)`, dtype, end - start);
}

/** A run of elements, or of bytes where it does not hold whole ones. */
function bytesRun(name: string, dtype: Dtype, byteLength: number): Run {
  const elementBytes = dtypeBits(dtype) / 8;
  return byteLength % elementBytes === 0 ? { name, dtype, shape: [byteLength / elementBytes] } : { name, dtype: "U8", shape: [byteLength] };
}

function firstOf(views: readonly View[]): View {
  return views.reduce((first, view) => (view.order < first.order ? view : first));
}

/** What is of the model itself, and has axes as weights of layers have: biases, normalisation and its statistics have one or none. */
function roleOf({ shape }: Run, views: readonly View[]): Role {
  return shape.length >= 2 && views.some(({ ofOptimizer }) => !ofOptimizer) ? "weight" : "other";
}

interface Ordered extends Omit<Placed, "info"> {
  readonly run: Run;
  readonly order: number;
}

/** The tensors of one storage; those of bytes that no tensor shows come after all others. */
function placedIn(storage: TorchStorage, views: readonly View[], mostTurned: number): Ordered[] {
  const placed: Ordered[] = [];
  const place = (start: number, end: number, run: Run, order: number, of: readonly View[]): void => {
    placed.push({ run, order, storage, start, end, columnMajor: run.columnMajor ?? false, role: roleOf(run, of) });
  };
  const rest = (start: number, end: number): void => {
    if (end - start <= MOST_LITERAL_BYTES) return;
    const name = views.length > 0 ? `${firstOf(views).name} (rest at ${start})` : `storage ${storage.key}`;
    const aligned = start % (dtypeBits(storage.dtype) / 8) === 0;
    place(start, end, bytesRun(name, aligned ? storage.dtype : "U8", end - start), Number.POSITIVE_INFINITY, []);
  };
  const isEmpty = ({ tensor }: View): boolean => tensor.start === tensor.end;
  for (const view of views.filter(isEmpty)) {
    const { name, order, tensor } = view;
    const { dtype, shape, offset } = tensor;
    tensorByteLength(dtype, shape, offset);
    // A hole without bytes may stand anywhere.
    place(0, 0, { name, dtype, shape }, order, [view]);
  }
  let at = 0;
  for (const cluster of clustersOf(views.filter((view) => !isEmpty(view)))) {
    rest(at, cluster.start);
    place(cluster.start, cluster.end, runOfCluster(cluster, mostTurned), firstOf(cluster.views).order, cluster.views);
    at = cluster.end;
  }
  rest(at, storage.byteLength);
  return placed;
}

/** Names, each once: the second of a name has a number behind it. */
class Names {
  readonly #taken = new Set<string>();
  readonly #next = new Map<string, number>();

  unique(name: string): string {
    let chosen = name;
    for (let number = this.#next.get(name) ?? 2; this.#taken.has(chosen); number++) {
      chosen = `${name} (${number})`;
      this.#next.set(name, number + 1);
    }
    this.#taken.add(chosen);
    return chosen;
  }
}

/**
 * The tensors of the model: each byte of a storage is of one of them at the most, in the order in which `named` names them first.
 *
 * A tensor alone on its bytes is that tensor. Of tensors that share bytes one stands for all: the first that takes all
 * of them; the others are not listed, and come back with it. A tensor whose axes are stored in another order is turned where that is
 * plain column-major order, and else stands as it is stored, ` (axes 0, 2, 3, 1)` behind its name saying which axis is which.
 * Bytes that are shared or spread in any other way are one tensor without axes, ` (as stored)` behind the name of the first;
 * those that no tensor shows too, ` (rest at 400)` or `storage 7`, where they are many.
 *
 * @param mostTurned bytes of the largest tensor that is turned
 */
export function layOut(storages: Iterable<TorchStorage>, named: readonly NamedTensor[], mostTurned: number): Placed[] {
  const views = new Map<TorchStorage, View[]>();
  for (const [order, one] of named.entries()) {
    const { storage } = one.tensor;
    const known = views.get(storage);
    if (known) known.push({ ...one, order });
    else views.set(storage, [{ ...one, order }]);
  }
  const all = [...storages].flatMap((storage) => placedIn(storage, views.get(storage) ?? [], mostTurned));
  // Stable: what comes after all keeps the order of the storages. Infinity less itself is no number.
  all.sort((a, b) => (a.order === b.order ? 0 : a.order - b.order));
  const names = new Names();
  return all.map(({ run: { name, dtype, shape }, order: _, ...place }) => ({ info: { name: names.unique(name), dtype, shape }, ...place }));
}
