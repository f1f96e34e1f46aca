import { execFileSync } from "node:child_process";
import { expect } from "vitest";
import { renderTemplate } from "../../src/archive/template.js";
import { FormatError, type FormatErrorCode } from "../../src/errors.js";
import { bytesSource, openModel, safetensorsHeader } from "../../src/formats/index.js";
import { type OpenModel, type Part, type Restored, type Source, type TensorInfo, tensorByteLength } from "../../src/types.js";

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

export const ascii = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "latin1"));

/** Small numbers that look random, the same on every run. */
export function noise(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

export function floats(count: number, seed = 1): Uint8Array {
  const next = noise(seed);
  return new Uint8Array(Float32Array.from({ length: count }, () => Math.round((next() - 0.5) * 4000) / 1000).buffer);
}

/** A source that keeps to the letter of `Source`: a view is spoilt by the next read. */
export function lendingSource(bytes: Uint8Array): Source {
  const source = bytesSource(bytes);
  let lent = new Uint8Array(0);
  return {
    ...source,
    async read(offset: number, byteLength: number): Promise<Uint8Array> {
      const next = (await source.read(offset, byteLength)).slice();
      lent.fill(0xee);
      lent = next;
      return next;
    },
  };
}

export async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk.slice());
  return concat(...all);
}

/** The promise must fail because of the file, with this code. Gives the error. */
export async function refused(promise: Promise<unknown>, code: FormatErrorCode): Promise<FormatError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error, "refused").toBeInstanceOf(FormatError);
  expect(error).toMatchObject({ code });
  return error as FormatError;
}

/** A tensor in reads of at most `step` bytes. */
export async function* readTensor(model: OpenModel, tensor: number, step = 1000): AsyncGenerator<Uint8Array> {
  const { dtype, shape } = model.tensors[tensor];
  const byteLength = tensorByteLength(dtype, shape);
  for (let at = 0; at < byteLength; at += step) yield model.read(tensor, at, Math.min(step, byteLength - at));
}

export async function readAll(model: OpenModel, step?: number): Promise<Uint8Array[]> {
  const all: Uint8Array[] = [];
  for (let i = 0; i < model.tensors.length; i++) all.push(await collect(readTensor(model, i, step)));
  return all;
}

/** The files that the templates give back, by their paths; tensors in `changed` come back with those bytes, the others as they are. */
export async function restoreFiles(
  model: OpenModel,
  changed: ReadonlyMap<number, Uint8Array> = new Map(),
): Promise<Record<string, Uint8Array>> {
  const originals = await readAll(model);
  const bytes = async function* (tensor: number, part?: Part): AsyncGenerator<Uint8Array> {
    const all = changed.get(tensor) ?? originals[tensor];
    const end = part ? part.offset + part.byteLength : all.length;
    // Cut where no element ends.
    for (let at = part?.offset ?? 0; at < end; at += 777) yield all.subarray(at, Math.min(end, at + 777));
  };
  const restored: Restored = { exact: (tensor) => !changed.has(tensor), bytes };
  const files: Record<string, Uint8Array> = {};
  for (const template of await model.templates(restored))
    files[template.path] = await collect(renderTemplate(template, model.tensors, bytes));
  return files;
}

/** The one file that the templates give back: see `restoreFiles`. */
export async function restore(model: OpenModel, changed?: ReadonlyMap<number, Uint8Array>): Promise<Uint8Array> {
  const files = await restoreFiles(model, changed);
  expect(Object.keys(files)).toEqual([""]);
  return files[""];
}

/** Opens the first of some files, the others beside it. */
export function openFiles(files: Readonly<Record<string, Uint8Array>>): Promise<OpenModel> {
  const [first] = Object.keys(files);
  const beside = async (path: string): Promise<Source> => {
    if (!(path in files)) throw new FormatError("TRUNCATED", 0, `the model's file ${JSON.stringify(path)} is not there`);
    return lendingSource(files[path]);
  };
  return openModel(lendingSource(files[first]), { name: first, beside });
}

/** Fails with a short message where toEqual would print megabytes. */
export function expectSame(actual: Uint8Array, wanted: Uint8Array): void {
  expect(actual.length).toBe(wanted.length);
  expect(Buffer.compare(actual, wanted), "bytes differ").toBe(0);
}

export function makeSafetensors(
  tensors: readonly (TensorInfo & { data: Uint8Array })[],
  metadata?: ReadonlyMap<string, string>,
): Uint8Array {
  return concat(safetensorsHeader(tensors, metadata), ...tensors.map(({ data }) => data));
}

/** A safetensors file with any header. */
export function safetensorsOf(json: string | Uint8Array, dataBytes = 0): Uint8Array {
  const text = typeof json === "string" ? new TextEncoder().encode(json) : json;
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(text.length), true);
  return concat(length, text, new Uint8Array(dataBytes));
}

/** A .npy file with any header. */
export function npyOf(dictionary: string, data: Uint8Array = new Uint8Array(0), version = 1): Uint8Array {
  const prefix = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0);
  const text = `${dictionary.padEnd(64 * Math.ceil((dictionary.length + 13) / 64) - 13)}\n`;
  const length = new Uint8Array(version === 1 ? 2 : 4);
  const view = new DataView(length.buffer);
  if (version === 1) view.setUint16(0, text.length, true);
  else view.setUint32(0, text.length, true);
  return concat(prefix, length, version < 3 ? ascii(text) : new TextEncoder().encode(text), data);
}

export function makeNpy(descr: string, shape: readonly number[], data: Uint8Array, fortran = false): Uint8Array {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  return npyOf(`{'descr': '${descr}', 'fortran_order': ${fortran ? "True" : "False"}, 'shape': ${tuple}, }`, data);
}

/** A Python that has numpy: the one on the path, or the system's own beside it. */
let python: string | undefined | null = null;

function findPython(): string | undefined {
  return ["python3", "/usr/bin/python3"].find((command) => {
    try {
      execFileSync(command, ["-c", "import numpy"], { stdio: "ignore" });
      return true;
    } catch {
      return false;
    }
  });
}

/** Runs Python with numpy; undefined where the machine has none. */
export function numpy(code: string, ...args: string[]): string | undefined {
  if (python === null) python = findPython();
  return python && execFileSync(python, ["-c", code, ...args], { encoding: "utf8" });
}

export const NO_NUMPY = "no python3 with numpy";

/**
 * Opens, reads, restores: a file that is accepted comes back byte for byte, and all else is a FormatError. Gives whether it
 * was accepted.
 */
export async function acceptedOrRefused(bytes: Uint8Array, open: (bytes: Uint8Array) => Promise<OpenModel>): Promise<boolean> {
  try {
    const restored = await restore(await open(bytes));
    expectSame(restored, bytes);
    return true;
  } catch (error) {
    if (error instanceof FormatError) {
      expect(error.offset).toBeLessThanOrEqual(Math.max(bytes.length, 1 << 20));
      return false;
    }
    throw error;
  }
}

/** Every shorter file and one byte more must be refused, the whole accepted. */
export async function expectLadder(bytes: Uint8Array, open: (bytes: Uint8Array) => Promise<OpenModel>): Promise<void> {
  for (let n = 0; n < bytes.length; n++) {
    expect(await acceptedOrRefused(bytes.slice(0, n), open), `${n} of ${bytes.length} bytes`).toBe(false);
  }
  await refused(open(concat(bytes, new Uint8Array(1))), "TRAILING");
  expect(await acceptedOrRefused(bytes, open)).toBe(true);
}

/** Mutants of a file: bytes set, swapped in from elsewhere, cut out or doubled. */
export function* mutants(bytes: Uint8Array, count: number, seed: number): Generator<Uint8Array> {
  const next = noise(seed);
  const below = (n: number): number => Math.floor(next() * n);
  const edges = [0, 1, 0x7f, 0x80, 0xff, 0x22, 0x30, 0x39, 0x5b, 0x7d];
  for (let i = 0; i < count; i++) {
    let mutant: Uint8Array = bytes.slice();
    for (let edits = 1 + below(3); edits > 0; edits--) {
      const at = below(mutant.length);
      const kind = below(8);
      if (kind < 3) mutant[at] = below(256);
      else if (kind < 5) mutant[at] = edges[below(edges.length)];
      else if (kind === 5) mutant[at] ^= 1 << below(8);
      else if (kind === 6) mutant.copyWithin(at, below(mutant.length), below(mutant.length));
      else mutant = concat(mutant.subarray(0, at), mutant.subarray(at + below(2) * below(9)));
    }
    yield mutant;
  }
}
