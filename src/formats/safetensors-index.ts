import { FormatError } from "../errors.js";
import type { FileTemplate, OpenModel, Piece, Restored, Source, TensorInfo } from "../types.js";
import { firstPath, inFile, type NamedFile, namedFile, openNamed } from "./beside.js";
import type { JsonScanner } from "./json.js";
import type { FirstFile } from "./json-model.js";
import { quoted } from "./quoted.js";
import { rolesOf } from "./recurrent.js";

/** In which file each tensor is. */
export interface WeightMap {
  readonly files: ReadonlyMap<string, NamedFile>;
  /** Where in the index it stands, for errors. */
  readonly offset: number;
}

export function readWeightMap(json: JsonScanner): WeightMap {
  const { offset } = json;
  const files = new Map<string, NamedFile>();
  json.object("weight_map", (name, at) => void files.set(name, namedFile(json.string(`the file of ${quoted(name)}`), at)));
  return { files, offset };
}

interface Shard {
  readonly path: string;
  readonly model: OpenModel;
  /** Tensors of the shards before it. */
  readonly first: number;
}

/** @throws FormatError where the index and the shards do not name the same tensors in the same places */
function checkPlaces({ files, offset }: WeightMap, shards: readonly Shard[]): void {
  const found = new Map<string, string>();
  for (const { path, model } of shards) {
    for (const { name } of model.tensors) {
      const known = files.get(name);
      const other = found.get(name);
      if (other !== undefined) {
        throw new FormatError("DUPLICATE", known?.offset ?? offset, `${quoted(name)} is in ${quoted(other)} and in ${quoted(path)}`);
      }
      if (!known) throw new FormatError("CORRUPT", offset, `${quoted(name)} is in ${quoted(path)}, and not in weight_map`);
      found.set(name, path);
    }
  }
  for (const [name, { path, offset: at }] of files) {
    const place = found.get(name);
    if (place === undefined) throw new FormatError("CORRUPT", at, `${quoted(name)} is not in ${quoted(path)}`);
    if (place !== path) throw new FormatError("CORRUPT", at, `${quoted(name)} is in ${quoted(place)}, not in ${quoted(path)}`);
  }
}

/** The pieces of a shard in a model of all. */
function moved(pieces: readonly Piece[], first: number): Piece[] {
  return pieces.map((piece) => {
    if (piece.kind === "bytes") return piece;
    if (piece.kind === "deflate") return { ...piece, pieces: moved(piece.pieces, first) };
    return { ...piece, tensor: piece.tensor + first };
  });
}

/**
 * Opens tensors in shards with an index, `model.safetensors.index.json`: the shards in the order of their names, the tensors of each in that of the file.
 *
 * @param openShard opens a shard, a model of one file
 * @throws FormatError, and the sources stay the caller's
 */
export async function openIndexed(
  { source, bytes, name, beside }: FirstFile,
  weightMap: WeightMap,
  openShard: (source: Source) => Promise<OpenModel>,
): Promise<OpenModel> {
  const named = [...new Map([...weightMap.files.values()].map((file) => [file.path, file])).values()];
  const files = named.sort((a, b) => (a.path < b.path ? -1 : 1));
  const first = firstPath(name, "model.safetensors.index.json", files);
  const shards: Shard[] = [];
  const tensors: TensorInfo[] = [];
  const shardOf: Shard[] = [];
  let byteLength = source.byteLength;
  for (const file of files) {
    const opened = await openNamed(beside, file);
    let model: OpenModel;
    try {
      model = await openShard(opened);
    } catch (error) {
      throw inFile(error, file.path);
    }
    const shard: Shard = { path: file.path, model, first: tensors.length };
    shards.push(shard);
    byteLength += model.byteLength;
    for (const tensor of model.tensors) {
      tensors.push(tensor);
      shardOf.push(shard);
    }
  }
  checkPlaces(weightMap, shards);

  return {
    format: "safetensors index",
    byteLength,
    tensors,
    role: rolesOf(tensors),
    checkedInOrder: shards.some(({ model }) => model.checkedInOrder),
    async read(tensor: number, offset: number, length: number): Promise<Uint8Array> {
      const { path, model, first: before } = shardOf[tensor];
      try {
        return await model.read(tensor - before, offset, length);
      } catch (error) {
        throw inFile(error, path);
      }
    },
    place: (tensor) => shardOf[tensor].model.place?.(tensor - shardOf[tensor].first),
    async templates(restored: Restored): Promise<readonly FileTemplate[]> {
      const templates: FileTemplate[] = [{ path: first, pieces: [{ kind: "bytes", bytes }] }];
      for (const { path, model, first: before } of shards) {
        const [{ pieces }] = await model.templates({
          exact: (tensor) => restored.exact(tensor + before),
          bytes: (tensor) => restored.bytes(tensor + before),
        });
        templates.push({ path, pieces: moved(pieces, before) });
      }
      return templates;
    },
    close: () => source.close(),
  };
}
