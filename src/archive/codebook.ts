import { FormatError } from "../errors.js";
import { type Dtype, isFloatDtype } from "../types.js";
import { BitReader, BitWriter } from "./bits.js";
import { type ByteReader, ByteWriter } from "./bytes.js";
import { readStep, writeStep } from "./steps.js";

// Codebooks: docs/format.md, section 4.3. A codebook in memory is its centroids as elements of the tensor, little-endian.

export const LISTED = 0;
export const SORTED = 1;
export const FLOAT16 = 2;
export const OWN = 3;

const WIDTH_BITS = 7;

export function readCodebook(bytes: ByteReader, kind: number, dtype: Dtype, elementBytes: number): Uint8Array {
  const count = bytes.u8("codebook size") + 1;
  if (kind === LISTED) return bytes.take(count * elementBytes, "codebook").slice();
  if (kind === SORTED) return readSorted(bytes, count, dtype, elementBytes);
  const codebook = new Uint8Array(count * 4);
  const view = new DataView(codebook.buffer);
  const start = bytes.offset;
  const halfs = bytes.take(count * 2, "codebook");
  for (let i = 0; i < count; i++) {
    const half = halfs[2 * i] | (halfs[2 * i + 1] << 8);
    if ((half & 0x7fff) > 0x7c00) throw new FormatError("CORRUPT", start + 2 * i, "a centroid is NaN");
    view.setFloat32(4 * i, halfToNumber(half), true);
  }
  return codebook;
}

/** The value of IEEE 754 half-precision bits. */
export function halfToNumber(half: number): number {
  const exponent = (half >> 10) & 31;
  const fraction = half & 0x3ff;
  const magnitude =
    exponent === 0
      ? fraction * 2 ** -24
      : exponent === 31
        ? fraction === 0
          ? Number.POSITIVE_INFINITY
          : Number.NaN
        : (1024 + fraction) * 2 ** (exponent - 25);
  return half & 0x8000 ? -magnitude : magnitude;
}

function readSorted(bytes: ByteReader, count: number, dtype: Dtype, elementBytes: number): Uint8Array {
  const width = 8 * elementBytes;
  const codebook = new Uint8Array(count * elementBytes);
  const bits = new BitReader(bytes);
  const most = (1n << BigInt(width)) - 1n;
  let key = bits.wide(width, "codebook");
  let last = width / 2;
  for (let i = 0; i < count; i++) {
    if (i > 0) {
      last = readStep(bits, last, WIDTH_BITS, "codebook");
      if (last < 1 || last > width) throw new FormatError("CORRUPT", bits.offset, `codebook: a difference of ${last} bits`);
      key += (1n << BigInt(last - 1)) + bits.wide(last - 1, "codebook");
      if (key > most) throw new FormatError("CORRUPT", bits.offset, "codebook: a key beyond the element");
    }
    let element = elementOfKey(key, dtype, width);
    for (let b = 0; b < elementBytes; b++) {
      codebook[i * elementBytes + b] = Number(element & 255n);
      element >>= 8n;
    }
  }
  bits.end("the codebook");
  return codebook;
}

function elementOfKey(key: bigint, dtype: Dtype, width: number): bigint {
  if (!isFloatDtype(dtype)) return key;
  const sign = 1n << BigInt(width - 1);
  return key & sign ? key ^ sign : key ^ (2n * sign - 1n);
}

/** Keys of the centroids in their order: ascending keys are ascending values, for floats. */
export function codebookKeys(codebook: Uint8Array, dtype: Dtype, elementBytes: number): bigint[] {
  const keys: bigint[] = [];
  const sign = 1n << BigInt(8 * elementBytes - 1);
  for (let at = 0; at < codebook.length; at += elementBytes) {
    let element = 0n;
    for (let b = elementBytes - 1; b >= 0; b--) element = (element << 8n) | BigInt(codebook[at + b]);
    keys.push(isFloatDtype(dtype) ? (element & sign ? element ^ (2n * sign - 1n) : element ^ sign) : element);
  }
  return keys;
}

/** A codebook of strictly ascending keys, with its size before it. */
export function writeSorted(keys: readonly bigint[], elementBytes: number): Uint8Array {
  const bits = new BitWriter().wide(keys[0], 8 * elementBytes);
  let last = 4 * elementBytes;
  for (let i = 1; i < keys.length; i++) {
    const difference = keys[i] - keys[i - 1];
    const width = difference.toString(2).length;
    writeStep(bits, width, last, WIDTH_BITS);
    bits.wide(difference, width - 1);
    last = width;
  }
  return new ByteWriter()
    .u8(keys.length - 1)
    .bytes(bits.finish())
    .finish();
}

/** A codebook listed as it is: elements, or float16 for kind 2. */
export function writeListed(entries: Uint8Array, entryBytes: number): Uint8Array {
  return new ByteWriter()
    .u8(entries.length / entryBytes - 1)
    .bytes(entries)
    .finish();
}
