// MNIST: handwritten digits, 60,000 to train on and 10,000 to test with, 28 x 28 pixels each (LeCun, Cortes, Burges).

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { gunzipSync } from "node:zlib";

/** Pixels along a side. */
export const SIDE = 28;

export interface Digits {
  readonly count: number;
  /** u8[count][28][28], 0 is paper and 255 ink. */
  readonly pixels: Uint8Array;
  /** u8[count], 0 to 9. */
  readonly labels: Uint8Array;
}

interface IdxFile {
  readonly name: string;
  /** Of the uncompressed file. */
  readonly md5: string;
}

const FILES: Readonly<Record<"train" | "test", { readonly images: IdxFile; readonly labels: IdxFile }>> = {
  train: {
    images: { name: "train-images-idx3-ubyte", md5: "6bbc9ace898e44ae57da46a324031adb" },
    labels: { name: "train-labels-idx1-ubyte", md5: "a25bea736e30d166cdddb491f175f624" },
  },
  test: {
    images: { name: "t10k-images-idx3-ubyte", md5: "2646ac647ad5339dbf082846283269ea" },
    labels: { name: "t10k-labels-idx1-ubyte", md5: "27ae3e4e09519cfbb04c329615203637" },
  },
};

const MIRRORS = ["https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/"];

/** Where what was downloaded is kept, from the root of the repository. */
const CACHE = "build/mnist";

/** The largest of the files, uncompressed, has 47,040,016 bytes. */
const MOST_BYTES = 48_000_000;

const DOWNLOAD_MS = 120_000;

/**
 * The elements of an IDX file of bytes: two zeros, 8 for u8, the number of axes, each axis as a u32 (all big-endian), then the elements
 * and nothing else.
 *
 * @throws Error where a byte is amiss
 */
export function parseIdx(bytes: Uint8Array, shape: readonly (number | "any")[]): { count: number; elements: Uint8Array } {
  const headBytes = 4 + 4 * shape.length;
  if (bytes.length < headBytes)
    throw new Error(`an IDX file of ${shape.length} axes has a head of ${headBytes} bytes, got ${bytes.length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const magic = view.getUint32(0);
  if (magic !== 0x800 + shape.length)
    throw new Error(`an IDX file of ${shape.length} axes of u8 does not start with ${magic.toString(16)}`);
  let elements = 1;
  for (const [i, wanted] of shape.entries()) {
    const axis = view.getUint32(4 + 4 * i);
    if (wanted !== "any" && axis !== wanted) throw new Error(`axis ${i} of the IDX file must be ${wanted}, got ${axis}`);
    elements *= axis;
  }
  if (bytes.length - headBytes !== elements)
    throw new Error(`the IDX file must hold ${elements} elements, got ${bytes.length - headBytes}`);
  return { count: view.getUint32(4), elements: bytes.subarray(headBytes) };
}

/** The uncompressed file, whose MD5 must be the published one: the digits of every published accuracy. */
function unpack(file: IdxFile, gzip: Uint8Array, from: string): Uint8Array {
  const bytes = gunzipSync(gzip, { maxOutputLength: MOST_BYTES });
  const md5 = createHash("md5").update(bytes).digest("hex");
  if (md5 !== file.md5) throw new Error(`${from} must have MD5 ${file.md5} uncompressed, got ${md5}`);
  return bytes;
}

async function download(file: IdxFile, to: string): Promise<Uint8Array> {
  const failures: string[] = [];
  for (const mirror of MIRRORS) {
    const url = `${mirror}${file.name}.gz`;
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(DOWNLOAD_MS) });
      if (!response.ok) throw new Error(`status ${response.status}`);
      const gzip = new Uint8Array(await response.arrayBuffer());
      const bytes = unpack(file, gzip, url);
      await mkdir(path.dirname(to), { recursive: true });
      await writeFile(`${to}.${process.pid}.tmp`, gzip);
      await rename(`${to}.${process.pid}.tmp`, to);
      return bytes;
    } catch (error) {
      const { message, cause } = error as Error;
      failures.push(`${url}: ${cause instanceof Error ? cause.message : message}`);
    }
  }
  throw new Error(`MNIST is not in $COPPICE_DATA/mnist nor in ../shared/data/mnist, and no mirror gave it: ${failures.join("; ")}`);
}

async function read(file: IdxFile): Promise<Uint8Array> {
  const folders = [path.join(process.env["COPPICE_DATA"] ?? "../shared/data", "mnist"), CACHE];
  const found = folders.map((folder) => path.join(folder, `${file.name}.gz`)).find((candidate) => existsSync(candidate));
  if (found === undefined) return download(file, path.join(CACHE, `${file.name}.gz`));
  return unpack(file, await readFile(found), found);
}

/** MNIST from the folder `mnist` of COPPICE_DATA (../shared/data unless set), or from a mirror. Relative to the current folder. */
export async function loadMnist(part: "train" | "test"): Promise<Digits> {
  const { images, labels } = FILES[part];
  const pixels = parseIdx(await read(images), ["any", SIDE, SIDE]);
  const classes = parseIdx(await read(labels), ["any"]);
  if (pixels.count !== classes.count) throw new Error(`${images.name} has ${pixels.count} images, ${labels.name} ${classes.count} labels`);
  return { count: pixels.count, pixels: pixels.elements, labels: classes.elements };
}

/** Digits from `start` to before `end`, as a network takes them: pixel / divisor. */
export function samplesOf(
  digits: Digits,
  divisor: number,
  start = 0,
  end: number = digits.count,
): { inputs: Float32Array; labels: Uint8Array } {
  const pixels = digits.pixels.subarray(start * SIDE * SIDE, end * SIDE * SIDE);
  const table = Float32Array.from({ length: 256 }, (_, pixel) => pixel / divisor);
  const inputs = new Float32Array(pixels.length);
  for (let i = 0; i < pixels.length; i++) inputs[i] = table[pixels[i]];
  return { inputs, labels: digits.labels.subarray(start, end) };
}

/** Moves an image in place, right and down where positive; what comes in is paper. */
export function shift(image: Float32Array, right: number, down: number): void {
  const by = down * SIDE + right;
  if (by > 0) image.copyWithin(by, 0, image.length - by);
  else image.copyWithin(0, -by);
  if (down > 0) image.fill(0, 0, down * SIDE);
  if (down < 0) image.fill(0, image.length + down * SIDE);
  for (let row = 0; row < SIDE; row++) {
    if (right > 0) image.fill(0, row * SIDE, row * SIDE + right);
    if (right < 0) image.fill(0, (row + 1) * SIDE + right, (row + 1) * SIDE);
  }
}
