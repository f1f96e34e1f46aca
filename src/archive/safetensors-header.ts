import { checkInteger } from "../check.js";
import { DTYPES, type Dtype, type Piece, type TensorInfo, tensorByteLength } from "../types.js";

/** The reference implementation refuses a longer header, so that a small claim cannot make it allocate much. */
export const MAX_SAFETENSORS_HEADER_BYTES = 100_000_000;

/** Bytes before the JSON: its length. */
export const SAFETENSORS_LENGTH_BYTES = 8;

/** The dtypes of safetensors are all that Coppice has but C128. */
export function isSafetensorsDtype(text: string): text is Dtype {
  return text !== "C128" && (DTYPES as readonly string[]).includes(text);
}

/** JSON.stringify escapes as serde_json does (short escapes, lower-case \u00xx, all else as it is), lone surrogates apart. */
function json(text: string, title: string): string {
  if (/\p{Surrogate}/u.test(text)) throw new RangeError(`${title} must be well-formed Unicode, got ${JSON.stringify(text)}`);
  return JSON.stringify(text);
}

function byteLengthOf({ dtype, shape }: TensorInfo, title: string): number {
  if (!isSafetensorsDtype(dtype)) throw new RangeError(`${title}.dtype must be one that safetensors has, got ${dtype}`);
  for (const axis of shape) checkInteger(axis, `${title}.shape`, 0, Number.MAX_SAFE_INTEGER);
  try {
    return tensorByteLength(dtype, shape);
  } catch (error) {
    throw new RangeError(`${title} must fill whole bytes, less than 2^53 of them`, { cause: error });
  }
}

/**
 * The head of a safetensors file whose tensors follow each other in the given order: 8 bytes of length, then JSON as the
 * reference implementation writes it, padded with spaces to a multiple of 8 bytes.
 *
 * @throws RangeError where safetensors cannot hold a tensor or the whole.
 */
export function safetensorsHeader(tensors: readonly TensorInfo[], metadata?: ReadonlyMap<string, string>): Uint8Array {
  const fields: string[] = [];
  if (metadata) {
    const pairs = [...metadata].map(([key, value]) => `${json(key, "metadata key")}:${json(value, "metadata value")}`);
    fields.push(`"__metadata__":{${pairs.join(",")}}`);
  }
  const names = new Set<string>();
  let start = 0;
  for (const [i, tensor] of tensors.entries()) {
    const { name, dtype, shape } = tensor;
    if (names.has(name) || name === "__metadata__") throw new RangeError(`tensors[${i}].name must be free, got ${JSON.stringify(name)}`);
    names.add(name);
    const end = start + byteLengthOf(tensor, `tensors[${i}]`);
    if (end > Number.MAX_SAFE_INTEGER) throw new RangeError("tensors must have less than 2^53 bytes in all");
    fields.push(`${json(name, `tensors[${i}].name`)}:{"dtype":"${dtype}","shape":[${shape.join(",")}],"data_offsets":[${start},${end}]}`);
    start = end;
  }

  const text = new TextEncoder().encode(`{${fields.join(",")}}`);
  const jsonBytes = Math.ceil(text.length / 8) * 8;
  if (jsonBytes > MAX_SAFETENSORS_HEADER_BYTES)
    throw new RangeError(`tensors must give a header of 100 MB at most, gave ${jsonBytes} bytes`);
  const header = new Uint8Array(SAFETENSORS_LENGTH_BYTES + jsonBytes).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(jsonBytes), true);
  header.set(text, SAFETENSORS_LENGTH_BYTES);
  return header;
}

/** The pieces of a safetensors file with this header: the tensors, all of them, in order. */
export function safetensorsPieces(tensors: readonly TensorInfo[], header: Uint8Array): Piece[] {
  return [{ kind: "bytes", bytes: header }, ...tensors.map((_, tensor): Piece => ({ kind: "tensor", tensor }))];
}
