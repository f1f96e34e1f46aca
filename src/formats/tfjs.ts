import { MAX_SHELL_BYTES } from "../archive/limits.js";
import { checkInteger } from "../check.js";
import { FormatError } from "../errors.js";
import {
  type Dtype,
  elementCount,
  type FileTemplate,
  type OpenModel,
  type Piece,
  type Place,
  type Role,
  type Source,
  type TensorInfo,
  tensorByteLength,
} from "../types.js";
import { firstPath, inFile, type NamedFile, namedFile, openNamed } from "./beside.js";
import { checkRange } from "./bytes-source.js";
import type { JsonScanner } from "./json.js";
import type { FirstFile } from "./json-model.js";
import { quoted } from "./quoted.js";
import { describesRecurrence, namesRecurrence, rolesOf } from "./recurrent.js";

/** What stands in the shards, by the names of TF.js; of a quantised weight, its quantised form. Strings have no fixed length. */
const DTYPES: ReadonlyMap<string, Dtype> = new Map([
  ["float32", "F32"],
  ["float16", "F16"],
  ["int32", "I32"],
  ["int16", "I16"],
  ["uint16", "U16"],
  ["int8", "I8"],
  ["uint8", "U8"],
  ["bool", "BOOL"],
  ["complex64", "C64"],
]);

/** Lengths of strings are looked for in so many bytes at a time. */
const WINDOW_BYTES = 1 << 16;

interface Weight {
  readonly name: string;
  /** Undefined for strings. */
  readonly dtype: Dtype | undefined;
  readonly shape: readonly number[];
  readonly role: Role;
  /** Where the manifest has it, for errors. */
  readonly offset: number;
}

/** Weights that stand one after another in the bytes of some files, joined. */
export interface Group {
  readonly files: readonly NamedFile[];
  readonly weights: readonly Weight[];
}

export function readManifest(json: JsonScanner): Group[] {
  const groups: Group[] = [];
  json.array("weightsManifest", () => {
    const { offset } = json;
    let files: NamedFile[] | undefined;
    let weights: Weight[] | undefined;
    json.object("a group of weights", (key) => {
      if (key === "paths") {
        const paths: NamedFile[] = [];
        json.array("paths", () => {
          const at = json.offset;
          paths.push(namedFile(json.string("a path"), at));
        });
        files = paths;
      } else if (key === "weights") {
        const all: Weight[] = [];
        json.array("weights", () => void all.push(readWeight(json)));
        weights = all;
      } else json.skip("a group of weights");
    });
    if (!files || !weights) throw new FormatError("CORRUPT", offset, "a group of weights must have paths and weights");
    groups.push({ files, weights });
  });
  return groups;
}

function readWeight(json: JsonScanner): Weight {
  const { offset } = json;
  let name: string | undefined;
  let dtype: string | undefined;
  let quantized: string | undefined;
  let shape: number[] | undefined;
  let group: string | undefined;
  json.object("a weight", (key) => {
    if (key === "name") name = json.string("the name of a weight");
    else if (key === "dtype") dtype = json.string("the dtype of a weight");
    else if (key === "shape") shape = json.integers("the shape of a weight");
    else if (key === "group") group = json.string("the group of a weight");
    else if (key === "quantization") {
      json.object("quantization", (field) => {
        if (field === "dtype") quantized = json.string("the dtype of a quantised weight");
        else json.skip("quantization");
      });
      if (quantized === undefined) throw new FormatError("CORRUPT", offset, "a quantised weight must say its dtype");
    } else json.skip("a weight");
  });
  if (name === undefined || dtype === undefined || shape === undefined) {
    throw new FormatError("CORRUPT", offset, "a weight must have name, dtype and shape");
  }
  const stored = quantized ?? dtype;
  if (stored !== "string" && !DTYPES.has(stored)) {
    throw new FormatError("UNSUPPORTED", offset, `${quoted(name)} has dtype ${quoted(stored)}`);
  }
  return { name, dtype: DTYPES.get(stored), shape, role: roleOf(shape, group), offset };
}

/** Kernels have two axes or more; what graphs fold of a normalisation has only one that is longer than 1. A file may have the state of the optimizer, and says so. */
function roleOf(shape: readonly number[], group: string | undefined): Role {
  return group !== "optimizer" && shape.filter((axis) => axis !== 1).length >= 2 ? "weight" : "other";
}

/** A file of a group. */
interface Shard extends NamedFile {
  readonly source: Source;
  /** Bytes of the group before it. */
  readonly start: number;
}

/** The files of a group, joined. */
class Joined {
  readonly shards: readonly Shard[];
  readonly byteLength: number;

  private constructor(shards: readonly Shard[], byteLength: number) {
    this.shards = shards;
    this.byteLength = byteLength;
  }

  static async open({ files }: Group, beside: FirstFile["beside"]): Promise<Joined> {
    const shards: Shard[] = [];
    let start = 0;
    for (const file of files) {
      const source = await openNamed(beside, file);
      shards.push({ ...file, source, start });
      start += source.byteLength;
    }
    return new Joined(shards, start);
  }

  /** The files that a run has bytes in, and which bytes of theirs. A run of no bytes is in none. */
  within(offset: number, byteLength: number): { readonly shard: Shard; readonly from: number; readonly to: number }[] {
    const end = offset + byteLength;
    const found = [];
    for (const shard of this.shards) {
      const from = Math.max(0, offset - shard.start);
      const to = Math.min(shard.source.byteLength, end - shard.start);
      if (from < to) found.push({ shard, from, to });
    }
    return found;
  }

  async read(offset: number, byteLength: number): Promise<Uint8Array> {
    const runs = this.within(offset, byteLength);
    const read = async ({ shard, from, to }: (typeof runs)[number]): Promise<Uint8Array> => {
      try {
        return await shard.source.read(from, to - from);
      } catch (error) {
        throw inFile(error, shard.path);
      }
    };
    if (runs.length === 1) return read(runs[0]);
    const all = new Uint8Array(byteLength);
    let at = 0;
    for (const run of runs) {
      const bytes = await read(run);
      all.set(bytes, at);
      at += bytes.length;
    }
    return all;
  }
}

/** A tensor, or what is kept as it is, in the joined files of a group. */
interface Stretch {
  readonly group: Joined;
  readonly offset: number;
  readonly byteLength: number;
}

/** Bytes of the strings of a weight, each of which has its length before it in 4 bytes. */
async function stringBytes(group: Joined, start: number, { name, shape, offset }: Weight): Promise<number> {
  const cut = (): FormatError => new FormatError("TRUNCATED", offset, `the strings of ${quoted(name)} go on beyond their files`);
  const count = elementCount(shape, offset);
  if (count > (group.byteLength - start) / 4) throw cut();
  let window: DataView = new DataView(new ArrayBuffer(0));
  let windowStart = start;
  let at = start;
  for (let i = 0; i < count; i++) {
    if (at + 4 > group.byteLength) throw cut();
    if (at + 4 > windowStart + window.byteLength) {
      const bytes = await group.read(at, Math.min(WINDOW_BYTES, group.byteLength - at));
      window = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      windowStart = at;
    }
    at += 4 + window.getUint32(at - windowStart, true);
  }
  if (at > group.byteLength) throw cut();
  return at - start;
}

/**
 * Opens a TF.js model, layers or graph, or its weights manifest alone. Quantised weights are tensors of what they are stored as: their scale and least value stay in the JSON. Strings, and bytes behind the
 * last weight of a group, are kept as they are.
 *
 * @throws FormatError, and the sources stay the caller's
 */
export async function openTfjs({ source, bytes, name, beside }: FirstFile, groups: readonly Group[]): Promise<OpenModel> {
  const first = firstPath(
    name,
    "model.json",
    groups.flatMap(({ files }) => files),
  );
  const tensors: TensorInfo[] = [];
  const roles: Role[] = [];
  const places: Stretch[] = [];
  const stretches: (Stretch & { readonly tensor?: number })[] = [];
  const joined: Joined[] = [];
  const names = new Set<string>();
  let all = source.byteLength;
  let kept = source.byteLength;
  for (const group of groups) {
    const files = await Joined.open(group, beside);
    joined.push(files);
    all += files.byteLength;
    let at = 0;
    const add = (byteLength: number, offset: number, tensor?: number): void => {
      stretches.push({ group: files, offset: at, byteLength, tensor });
      if (tensor === undefined) kept += byteLength;
      if (kept > MAX_SHELL_BYTES) throw new FormatError("LIMIT", offset, `more than ${MAX_SHELL_BYTES} bytes have to be kept as they are`);
      at += byteLength;
    };
    for (const weight of group.weights) {
      const { dtype, shape, offset } = weight;
      if (names.has(weight.name)) throw new FormatError("DUPLICATE", offset, `two weights are named ${quoted(weight.name)}`);
      names.add(weight.name);
      if (dtype === undefined) {
        add(await stringBytes(files, at, weight), offset);
        continue;
      }
      const byteLength = tensorByteLength(dtype, shape, offset);
      if (byteLength > files.byteLength - at) {
        throw new FormatError(
          "TRUNCATED",
          offset,
          `${quoted(weight.name)} needs ${byteLength} bytes, its files have ${files.byteLength - at} left`,
        );
      }
      places.push({ group: files, offset: at, byteLength });
      tensors.push({ name: weight.name, dtype, shape });
      roles.push(weight.role);
      add(byteLength, offset, tensors.length - 1);
    }
    if (at < files.byteLength) add(files.byteLength - at, group.files.at(-1)?.offset ?? 0);
  }

  return {
    format: "tfjs",
    byteLength: all,
    tensors,
    async read(tensor: number, offset: number, byteLength: number): Promise<Uint8Array> {
      checkInteger(tensor, "tensor", 0, places.length - 1);
      const { group, offset: start, byteLength: present } = places[tensor];
      checkRange(offset, byteLength, present);
      return group.read(start + offset, byteLength);
    },
    place(tensor: number): Place | undefined {
      const { group, offset, byteLength } = places[tensor];
      const [run, more] = group.within(offset, byteLength);
      const place = more ? undefined : run?.shard.source.place;
      return place && { fd: place.fd, offset: place.offset + run.from };
    },
    role: rolesOf(tensors, (tensor) => roles[tensor], namesRecurrence(tensors) || describesRecurrence(bytes)),
    async templates(): Promise<readonly FileTemplate[]> {
      const pieces = new Map<Shard, Piece[]>(joined.flatMap(({ shards }) => shards.map((shard) => [shard, []])));
      for (const { group, offset, byteLength, tensor } of stretches) {
        const runs = group.within(offset, byteLength);
        for (const { shard, from, to } of runs) {
          let piece: Piece;
          if (tensor === undefined) piece = { kind: "bytes", bytes: (await shard.source.read(from, to - from)).slice() };
          else if (runs.length === 1) piece = { kind: "tensor", tensor };
          else piece = { kind: "part", tensor, offset: shard.start + from - offset, byteLength: to - from };
          pieces.get(shard)?.push(piece);
        }
      }
      return [{ path: first, pieces: [{ kind: "bytes", bytes }] }, ...[...pieces].map(([{ path }, of]) => ({ path, pieces: of }))];
    },
    close: () => source.close(),
  };
}
