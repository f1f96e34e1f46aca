import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import {
  compress,
  compressFile,
  compressTo,
  decompress,
  decompressFile,
  decompressTo,
  inspect,
  type Progress,
  type Tensor,
  verify,
  type WorkOptions,
} from "../../src/index.js";
import { NET, safetensors } from "../cli/cli.js";
import { Random } from "../random.js";

const BLOCKS = 3;
const LARGE = 2 ** 20 * (BLOCKS - 1) + 5;
const LARGE_BYTES: Tensor = { name: "large", dtype: "U8", shape: [LARGE], data: new Random(5).bytes(LARGE) };
const LARGE_FLOATS: Tensor = {
  name: "large floats",
  dtype: "BF16",
  shape: [LARGE, 1],
  data: new Uint8Array(2 * LARGE).map((_, i) => (i % 2 === 0 ? i >> 3 : 0x3f)),
};
const EMPTY: Tensor = { name: "empty", dtype: "F32", shape: [0, 3], data: new Uint8Array(0) };
const TENSORS = [...NET, LARGE_BYTES, EMPTY, LARGE_FLOATS];
const TOTAL = TENSORS.reduce((sum, { data }) => sum + data.length, 0);

const folder = mkdtempSync(path.join(tmpdir(), "coppice-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const output = path.join(folder, "output");

const model = new Uint8Array(safetensors(TENSORS));
let archive: Uint8Array;
beforeAll(async () => {
  ({ archive } = await compress(model));
});

const ignore = async (): Promise<void> => undefined;

const WORKS: Readonly<Record<string, (options: WorkOptions) => Promise<unknown>>> = {
  "compress, lossy": (options) => compress(model, { ...options, threads: 1 }),
  "compress, exact": (options) => compress(TENSORS, { ...options, threads: 1, preset: "exact" }),
  compressTo: (options) => compressTo(model, ignore, { ...options, threads: 1 }),
  compressFile: (options) => compressFile(model, output, { ...options, threads: 1, force: true }),
  decompress: (options) => decompress(archive, options),
  decompressTo: (options) => decompressTo(archive, ignore, options),
  decompressFile: (options) => decompressFile(archive, output, { ...options, force: true }),
  inspect: (options) => inspect(archive, options),
  verify: (options) => verify(model, archive, options),
};

function expectProgress(told: readonly Progress[]): void {
  for (const [i, { doneBytes, totalBytes }] of told.entries()) {
    expect(totalBytes).toBe(TOTAL);
    expect(doneBytes).toBeGreaterThanOrEqual(i === 0 ? 0 : told[i - 1].doneBytes);
  }
  expect(told.at(-1)?.doneBytes).toBe(TOTAL);
  for (const { name } of [LARGE_BYTES, LARGE_FLOATS]) {
    const steps = new Set(told.filter(({ tensor }) => tensor === name).map(({ doneBytes }) => doneBytes));
    expect(steps.size, name).toBeGreaterThanOrEqual(BLOCKS);
  }
}

describe.each(Object.entries(WORKS))("%s", (_, work) => {
  it("tells of every tensor in order, of a large one block by block, and never goes back", async () => {
    const told: Progress[] = [];
    await work({ onProgress: (progress) => void told.push(progress) });
    expectProgress(told);
    const names = told.map(({ tensor }) => tensor);
    expect(names.filter((name, i) => name !== names[i - 1])).toEqual(TENSORS.map(({ name }) => name));
  });

  it("is stopped by a signal, before it begins and within a large tensor", async () => {
    const reason = new Error("enough");
    await expect(work({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const stop = new AbortController();
    const after: string[] = [];
    const onProgress = ({ tensor }: Progress): void => {
      if (stop.signal.aborted) after.push(tensor);
      if (tensor === LARGE_BYTES.name) stop.abort(reason);
    };
    await expect(work({ signal: stop.signal, onProgress })).rejects.toBe(reason);
    expect(after).toEqual([]);
  });

  it("is stopped by what onProgress throws", async () => {
    const reason = new Error("a broken callback");
    const onProgress = (): never => {
      throw reason;
    };
    await expect(work({ onProgress })).rejects.toBe(reason);
  });
});

describe("progress", () => {
  it("is that of all threads together", async () => {
    const built: { compress: typeof compress } = await import(pathToFileURL(path.join(inject("bundles"), "index.js")).href);
    const told: Progress[] = [];
    await built.compress(model, { threads: 3, onProgress: (progress) => void told.push(progress) });
    expectProgress(told);
    expect(new Set(told.map(({ tensor }) => tensor))).toEqual(new Set(TENSORS.map(({ name }) => name)));
  });

  it("counts tensors that the archive does not have", async () => {
    const { archive: part } = await compress(NET, { preset: "exact" });
    const told: Progress[] = [];
    await verify(model, part, { onProgress: (progress) => void told.push(progress) });
    expect(told.at(-1)).toEqual({ tensor: LARGE_FLOATS.name, doneBytes: TOTAL, totalBytes: TOTAL });
  });
});

describe("a signal", () => {
  it.each(["decompress", "inspect", "verify"])("is heard by %s though its bytes are in memory", async (name) => {
    const stop = new AbortController();
    const told: Progress[] = [];
    const work = WORKS[name]({ signal: stop.signal, onProgress: (progress) => void told.push(progress) });
    setImmediate(() => stop.abort());
    await expect(work).rejects.toMatchObject({ name: "AbortError" });
    expect(told.length).toBeLessThan(TENSORS.length);
  });

  it("that stops the writing of a file leaves nothing of it", async () => {
    rmSync(output, { force: true });
    for (const name of ["compressFile", "decompressFile"]) {
      const stop = new AbortController();
      const onProgress = ({ tensor }: Progress): void => void (tensor === LARGE_FLOATS.name && stop.abort());
      await expect(WORKS[name]({ signal: stop.signal, onProgress })).rejects.toMatchObject({ name: "AbortError" });
      expect(existsSync(output)).toBe(false);
      expect(readdirSync(folder)).toEqual([]);
    }
  });
});
