import { archiveFiles, type Framed } from "../archive/files.js";
import { isSafetensorsDtype, SAFETENSORS_LENGTH_BYTES, safetensorsHeader, safetensorsPieces } from "../archive/safetensors-header.js";
import { checkOneOf } from "../check.js";
import { FormatError } from "../errors.js";
import { scaledWeight } from "../formats/json-model.js";
import type { FileTemplate, Piece, TensorInfo } from "../types.js";

/** Formats in which a model can be had, whatever its own is. */
const TARGETS = ["safetensors"] as const;
/** One of the formats in which a model can be had, whatever its own is. */
export type Target = (typeof TARGETS)[number];

type Literal = Extract<Piece, { kind: "bytes" }>;

/**
 * The files that an archive's model comes back as: its own, or one of another format, with all tensors by their names and in their order. A model that
 * is one safetensors file already stays that file.
 *
 * @throws FormatError where the shell is at fault, `UNSUPPORTED` where the format cannot hold a tensor; TypeError, RangeError naming `to`
 */
export function filesAs(archive: Framed, to?: Target): readonly FileTemplate[] {
  if (to !== undefined) checkOneOf(to, "to", TARGETS);
  const files = archiveFiles(archive);
  const { tensors } = archive.header;
  if (to === undefined || (files.length === 1 && safetensorsHead(files[0]))) return files;
  for (const tensor of tensors) checkTensor(tensor);
  for (const { pieces } of files) checkScales(pieces);
  const metadata = files.map(metadataOf).find((found) => found !== undefined);
  return [{ path: "", pieces: safetensorsPieces(tensors, headerOf(tensors, metadata)) }];
}

/** @throws FormatError `UNSUPPORTED` where safetensors has no place for the tensor */
function checkTensor({ name, dtype }: TensorInfo): void {
  const fail = (what: string): never => {
    throw new FormatError("UNSUPPORTED", 0, `no safetensors file can hold the tensor ${JSON.stringify(name)}: ${what}`);
  };
  if (!isSafetensorsDtype(dtype)) fail(`the format has no ${dtype}`);
  if (name === "__metadata__") fail("the format uses that name itself");
}

/** @throws FormatError `UNSUPPORTED` where a file that is kept as it is says what the numbers of a tensor stand for */
function checkScales([text, more]: readonly Piece[]): void {
  const name = text?.kind === "bytes" && !more ? scaledWeight(text.bytes) : undefined;
  if (name === undefined) return;
  const what = "it is quantised, and its scale and least value stand in the model's JSON alone";
  throw new FormatError("UNSUPPORTED", 0, `no safetensors file can hold the tensor ${JSON.stringify(name)}: ${what}`);
}

function headerOf(tensors: readonly TensorInfo[], metadata: ReadonlyMap<string, string> | undefined): Uint8Array {
  try {
    return safetensorsHeader(tensors, metadata);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new FormatError("UNSUPPORTED", 0, `no safetensors file can hold these tensors: ${error.message}`);
  }
}

/** What stands before the tensors of a file, where it is a safetensors file of whole tensors. */
function safetensorsHead({ pieces: [head, ...holes] }: FileTemplate): Literal | undefined {
  if (head?.kind !== "bytes" || head.bytes.length <= SAFETENSORS_LENGTH_BYTES || head.bytes[SAFETENSORS_LENGTH_BYTES] !== 0x7b)
    return undefined;
  if (!holes.every((hole) => hole.kind === "tensor" && !hole.bigEndian && !hole.columnMajor)) return undefined;
  const { buffer, byteOffset, byteLength } = head.bytes;
  const jsonBytes = new DataView(buffer, byteOffset).getBigUint64(0, true);
  return jsonBytes === BigInt(byteLength - SAFETENSORS_LENGTH_BYTES) ? head : undefined;
}

/** What a safetensors file says of itself beside its tensors: of a shard, what the others say too. */
function metadataOf(file: FileTemplate): ReadonlyMap<string, string> | undefined {
  const head = safetensorsHead(file);
  if (!head) return undefined;
  try {
    const { __metadata__: found } = JSON.parse(new TextDecoder().decode(head.bytes.subarray(SAFETENSORS_LENGTH_BYTES)));
    const entries: [string, unknown][] = Object.entries(found ?? {});
    const texts = entries.filter((entry): entry is [string, string] => typeof entry[1] === "string");
    return texts.length > 0 && texts.length === entries.length ? new Map(texts) : undefined;
  } catch {
    return undefined; // no safetensors file after all
  }
}
