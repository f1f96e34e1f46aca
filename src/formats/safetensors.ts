import {
  isSafetensorsDtype,
  MAX_SAFETENSORS_HEADER_BYTES,
  SAFETENSORS_LENGTH_BYTES,
  safetensorsPieces,
} from "../archive/safetensors-header.js";
import { checkInteger } from "../check.js";
import { FormatError } from "../errors.js";
import { type Dtype, type FileTemplate, type OpenModel, type Place, type Source, type TensorInfo, tensorByteLength } from "../types.js";
import { checkRange } from "./bytes-source.js";
import { JsonScanner } from "./json.js";
import { quoted } from "./quoted.js";
import { rolesOf } from "./recurrent.js";

interface Entry {
  readonly info: TensorInfo;
  /** Bytes from the end of the header. */
  readonly start: number;
  readonly end: number;
  /** Where in the file the header says so, for errors. */
  readonly shapeOffset: number;
  readonly rangeOffset: number;
}

async function readHeader(source: Source): Promise<Uint8Array> {
  const { byteLength } = source;
  if (byteLength <= SAFETENSORS_LENGTH_BYTES) {
    throw new FormatError("TRUNCATED", byteLength, "a safetensors file starts with 8 bytes of length and a header");
  }
  const head = await source.read(0, SAFETENSORS_LENGTH_BYTES + 1);
  // Before the length is looked at: of another kind of file, the length would say nothing.
  if (head[SAFETENSORS_LENGTH_BYTES] !== 0x7b)
    throw new FormatError("MAGIC", SAFETENSORS_LENGTH_BYTES, "a safetensors header starts with {");
  const jsonBytes = Number(new DataView(head.buffer, head.byteOffset).getBigUint64(0, true));
  if (jsonBytes > MAX_SAFETENSORS_HEADER_BYTES) throw new FormatError("LIMIT", 0, `a header of ${jsonBytes} bytes, above 100 MB`);
  if (jsonBytes > byteLength - SAFETENSORS_LENGTH_BYTES) {
    throw new FormatError("TRUNCATED", byteLength, `a header of ${jsonBytes} bytes in a file of ${byteLength}`);
  }
  // A copy: it is kept, and the view is ours only until the next read.
  return (await source.read(0, SAFETENSORS_LENGTH_BYTES + jsonBytes)).slice();
}

function readEntry(json: JsonScanner, name: string, nameOffset: number): Entry {
  const title = quoted(name);
  let dtype: Dtype | undefined;
  let shape: number[] | undefined;
  let range: number[] | undefined;
  let shapeOffset = 0;
  let rangeOffset = 0;
  json.object(title, (key, keyOffset) => {
    if (key === "dtype") {
      const offset = json.offset;
      const text = json.string(`dtype of ${title}`);
      if (!isSafetensorsDtype(text)) throw new FormatError("UNSUPPORTED", offset, `${title} has dtype ${quoted(text)}`);
      dtype = text;
    } else if (key === "shape") {
      shapeOffset = json.offset;
      shape = json.integers(`shape of ${title}`);
    } else if (key === "data_offsets") {
      rangeOffset = json.offset;
      range = json.integers(`data_offsets of ${title}`);
    } else {
      throw new FormatError("UNSUPPORTED", keyOffset, `${title} has a field ${quoted(key)}, which is not known`);
    }
  });
  if (dtype === undefined || shape === undefined || range === undefined) {
    throw new FormatError("CORRUPT", nameOffset, `${title} must have dtype, shape and data_offsets`);
  }
  if (range.length !== 2) throw new FormatError("CORRUPT", rangeOffset, `data_offsets of ${title} must be two numbers`);
  return { info: { name, dtype, shape }, start: range[0], end: range[1], shapeOffset, rangeOffset };
}

function readEntries(header: Uint8Array): Entry[] {
  const json = new JsonScanner(header.subarray(SAFETENSORS_LENGTH_BYTES), SAFETENSORS_LENGTH_BYTES);
  const entries: Entry[] = [];
  json.object("the header", (name, offset) => {
    if (name !== "__metadata__") entries.push(readEntry(json, name, offset));
    else json.object("__metadata__", (key) => void json.string(`__metadata__ ${quoted(key)}`));
  });
  json.end();
  return entries;
}

/** The tensors must lie one behind the other and cover all bytes behind the header: no overlap, no hole, no rest. */
function checkLayout(entries: readonly Entry[], header: Uint8Array, byteLength: number): void {
  let expected = 0;
  for (const { info, start, end, shapeOffset, rangeOffset } of entries) {
    const title = quoted(info.name);
    if (start !== expected) {
      throw new FormatError(
        "CORRUPT",
        rangeOffset,
        `${title} starts at ${start}, ${start < expected ? "inside" : "not at"} the last end ${expected}`,
      );
    }
    if (end < start) throw new FormatError("CORRUPT", rangeOffset, `${title} ends before it starts`);
    const wanted = tensorByteLength(info.dtype, info.shape, shapeOffset);
    if (end - start !== wanted) {
      throw new FormatError("CORRUPT", rangeOffset, `${title} takes ${end - start} bytes, its shape and dtype ${wanted}`);
    }
    expected = end;
  }
  const present = byteLength - header.length;
  if (expected > present) throw new FormatError("TRUNCATED", byteLength, `${expected} bytes of tensors announced, ${present} present`);
  if (expected < present) throw new FormatError("TRAILING", header.length + expected, `${present - expected} bytes behind the last tensor`);
}

/**
 * Opens a safetensors file. Its header is read and checked, by the rules of the reference implementation (huggingface/safetensors
 * 0.8) and four more: it starts with `{`, no name or metadata key stands twice, a tensor is an object of the three known
 * fields, and no number reaches 2^53. The tensors are not read until they are asked for.
 *
 * @throws FormatError, and the source stays the caller's.
 */
export async function openSafetensors(source: Source): Promise<OpenModel> {
  const header = await readHeader(source);
  const entries = readEntries(header);
  // Stable: empty tensors at one place keep the order of the header.
  entries.sort((a, b) => a.start - b.start || a.end - b.end);
  checkLayout(entries, header, source.byteLength);

  const tensors = entries.map(({ info }) => info);
  return {
    format: "safetensors",
    byteLength: source.byteLength,
    tensors,
    role: rolesOf(tensors),
    async read(tensor: number, offset: number, byteLength: number): Promise<Uint8Array> {
      checkInteger(tensor, "tensor", 0, entries.length - 1);
      const { start, end } = entries[tensor];
      checkRange(offset, byteLength, end - start);
      return source.read(header.length + start + offset, byteLength);
    },
    place(tensor: number): Place | undefined {
      const { place } = source;
      return place && { fd: place.fd, offset: place.offset + header.length + entries[tensor].start };
    },
    async templates(): Promise<readonly FileTemplate[]> {
      return [{ path: "", pieces: safetensorsPieces(tensors, header) }];
    },
    close: () => source.close(),
  };
}
