import { MAX_SHELL_BYTES } from "../archive/limits.js";
import { FormatError } from "../errors.js";
import type { OpenModel, Source } from "../types.js";
import type { Beside } from "./beside.js";
import { JsonScanner } from "./json.js";
import { openIndexed, readWeightMap, type WeightMap } from "./safetensors-index.js";
import { type Group, openTfjs, readManifest } from "./tfjs.js";

// Models whose first file is JSON, and names the others: TF.js, and safetensors in shards with an index.

const SPACE = [0x20, 0x0a, 0x0d, 0x09];

/** An object or an array. No zero byte stands in JSON, and one always does in the first 8 of a safetensors file. */
export function isJson(head: Uint8Array): boolean {
  const first = head.find((byte) => !SPACE.includes(byte));
  return (first === 0x7b || first === 0x5b) && !head.subarray(0, 8).includes(0);
}

/** Enough of a file to tell that it is JSON. */
const HEAD_BYTES = 16;

/** What is asked of the JSON. */
interface Found {
  weightMap?: WeightMap;
  groups?: Group[];
}

function readJson(bytes: Uint8Array): Found {
  const json = new JsonScanner(bytes, 0);
  const found: Found = {};
  if (json.isArray) found.groups = readManifest(json);
  else {
    json.object("the model", (key) => {
      if (key === "weight_map") found.weightMap = readWeightMap(json);
      else if (key === "weightsManifest") found.groups = readManifest(json);
      else json.skip("the model");
    });
  }
  json.end();
  return found;
}

/** The name of a weight whose numbers mean what they do by the JSON alone, if a model that begins with these bytes has one. */
export function scaledWeight(bytes: Uint8Array): string | undefined {
  if (!isJson(bytes.subarray(0, HEAD_BYTES))) return undefined;
  try {
    return readJson(bytes)
      .groups?.flatMap(({ weights }) => weights)
      .find(({ scaled }) => scaled)?.name;
  } catch (error) {
    if (error instanceof FormatError) return undefined; // the JSON of something else
    throw error;
  }
}

/**
 * Opens a model whose first file is JSON: a TF.js model (layers or graph) or its weights manifest, or the index of tensors in shards.
 *
 * @param hint its name, and what opens the files beside it
 * @param openShard opens a shard of an index
 * @throws FormatError, and the sources stay the caller's
 */
export async function openJson(
  source: Source,
  hint: { readonly name?: string; readonly beside?: Beside },
  openShard: (source: Source) => Promise<OpenModel>,
): Promise<OpenModel> {
  if (source.byteLength > MAX_SHELL_BYTES) {
    throw new FormatError("LIMIT", 0, `JSON of ${source.byteLength} bytes, an archive holds ${MAX_SHELL_BYTES}`);
  }
  // A copy: it is kept, and the view is ours only until the next read.
  const bytes = (await source.read(0, source.byteLength)).slice();
  const { weightMap, groups } = readJson(bytes);
  if (groups && !weightMap) return openTfjs({ source, bytes, ...hint }, groups);
  if (weightMap && !groups) return openIndexed({ source, bytes, ...hint }, weightMap, openShard);
  throw new FormatError("MAGIC", 0, "JSON that is neither a TF.js model with weights nor an index of tensors in shards");
}

/** The first file of a model, read. */
export interface FirstFile {
  readonly source: Source;
  readonly bytes: Uint8Array;
  readonly name?: string;
  readonly beside?: Beside;
}
