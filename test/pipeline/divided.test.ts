import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { beforeAll, describe, expect, inject, it } from "vitest";
import type * as Coppice from "../../src/index.js";
import type { Tensor } from "../../src/types.js";
import { floats, tensorOf } from "../archive/craft.js";
import { done, fails, safetensors, testFolder } from "../cli/cli.js";
import { makeNpy } from "../formats/helpers.js";
import { makeZip } from "../formats/zipfile.js";
import { Random } from "../random.js";

// Tensors of several blocks are divided among threads that read and write the files themselves.

const folder = testFolder();
const at = (name: string): string => path.join(folder, name);
const random = new Random(19);
const BLOCK = 2 ** 20;
const WEIGHTS = random.weights(5 * BLOCK + 99);

const TENSORS: readonly Tensor[] = [
  floats("first", [300], random.weights(300)),
  floats("large", [5 * BLOCK + 99], WEIGHTS),
  tensorOf("integers", "I16", [4 * BLOCK], new Uint8Array(WEIGHTS.buffer.slice(0, 8 * BLOCK))),
  floats("zeros", [4 * BLOCK + 1], new Float32Array(4 * BLOCK + 1)),
  floats("middle", [BLOCK / 4, 2], WEIGHTS.subarray(0, BLOCK / 2)),
  floats("empty", [0], []),
];

const RECIPES: Readonly<Record<string, Coppice.Recipe>> = {
  exact: { rules: [] },
  shared: { rules: [{ share: { centroids: 52, maxIterations: 3 } }] },
  rate: { rules: [{ share: { objective: "rate", tradeoff: 0.02 } }] },
  pruned: { rules: [{ prune: { sparsity: 0.9 }, share: { bits: 5 } }] },
  rounded: { rules: [{ prune: { sparsity: 0.3 }, round: { mantissaBits: 8 } }] },
  thresholds: { rules: [{ match: "large", prune: { threshold: 0.1 } }, { share: { bits: 2, init: "random", seed: 3 } }] },
};

let coppice: typeof Coppice;
beforeAll(async () => {
  coppice = await import(pathToFileURL(path.join(inject("bundles"), "index.js")).href);
  writeFileSync(at("net.safetensors"), safetensors(TENSORS));
});

describe.each(Object.entries(RECIPES))("with recipe %s", (_, recipe) => {
  it("any number of threads makes the same archive and the same report, from a file and from memory", async () => {
    const report = await coppice.compressFile(at("net.safetensors"), at("1.coppice"), { recipe, threads: 1, force: true });
    const one = readFileSync(at("1.coppice"));
    for (const threads of [2, 3]) {
      const found = await coppice.compressFile(at("net.safetensors"), at("n.coppice"), { recipe, threads, force: true });
      expect(Buffer.compare(readFileSync(at("n.coppice")), one), `${threads} threads`).toBe(0);
      expect(found).toEqual(report);
    }
    const { archive } = await coppice.compress(new Uint8Array(readFileSync(at("net.safetensors"))), { recipe, threads: 2 });
    expect(Buffer.compare(archive, one), "from memory").toBe(0);
  });

  it("any number of threads gives the same file back, from a file and from memory", async () => {
    await coppice.compressFile(at("net.safetensors"), at("a.coppice"), { recipe, threads: 2, force: true });
    const [whole] = await coppice.decompress(at("a.coppice"));
    for (const threads of [1, 2, 3]) {
      for (const input of [at("a.coppice"), new Uint8Array(readFileSync(at("a.coppice")))]) {
        await coppice.decompressFile(input, at("back"), { threads, force: true });
        expect(Buffer.compare(readFileSync(at("back")), whole.bytes), `${threads} threads`).toBe(0);
      }
    }
  });
});

it("any number of threads makes the same archive of tensors whose checksums want them in order", async () => {
  const data = new Uint8Array(WEIGHTS.buffer.slice(0, 4 * 4 * BLOCK));
  const npy = makeNpy("<f4", [4, BLOCK], data);
  const npz = makeZip(["a", "b", "c"].map((name) => ({ name: `${name}.npy`, data: npy })));
  const [one, ...others] = await Promise.all([1, 2, 3].map((threads) => coppice.compress(npz, { recipe: RECIPES.exact, threads })));
  for (const { archive, report } of others) {
    expect(Buffer.compare(archive, one.archive)).toBe(0);
    expect(report).toEqual(one.report);
  }
  const [{ bytes }] = await coppice.decompress(one.archive);
  expect(Buffer.compare(bytes, npz)).toBe(0);
  const broken = makeZip([{ name: "a.npy", data: npy, crc: 1 }]);
  await expect(coppice.compress(broken, { recipe: RECIPES.exact, threads: 2 })).rejects.toMatchObject({ code: "CHECKSUM" });
});

it("files that want another order of bytes or elements come back from threads too", async () => {
  const data = new Uint8Array(WEIGHTS.buffer.slice(0, 4 * 3 * BLOCK));
  for (const [descr, fortran] of [
    [">f4", false],
    ["<f4", true],
    ["<f4", false],
  ] as const) {
    const file = makeNpy(descr, [3 * 2 ** 10, 2 ** 10], data, fortran);
    writeFileSync(at("w.npy"), file);
    await done(["compress", at("w.npy"), "-o", at("w.coppice"), "--force", "--preset", "exact", "--threads", "2"]);
    await done(["decompress", at("w.coppice"), "-o", at("w2.npy"), "--force", "--threads", "2"]);
    expect(Buffer.compare(readFileSync(at("w2.npy")), file), descr).toBe(0);
  }
});

it("a damaged block is refused with the same words by any number of threads, and nothing is written", async () => {
  await coppice.compressFile(at("net.safetensors"), at("good.coppice"), { recipe: RECIPES["shared"], force: true });
  const archive = readFileSync(at("good.coppice"));
  for (const part of [0.3, 0.5, 0.9]) {
    const damaged = Buffer.from(archive);
    damaged[Math.floor(part * damaged.length)] ^= 16;
    damaged[damaged.length - 200] ^= 16;
    writeFileSync(at("bad.coppice"), damaged);
    const sentences = [];
    for (const threads of ["1", "2", "3"])
      sentences.push(await fails(3, ["decompress", at("bad.coppice"), "-o", at("never"), "--threads", threads]));
    expect(sentences[0]).toMatch(/CHECKSUM|CORRUPT|TRUNCATED/);
    expect(new Set(sentences).size, sentences.join("\n")).toBe(1);
  }
  expect(readdirSync(folder).filter((name) => name.includes("never"))).toEqual([]);
});

it("a model that becomes shorter while threads read it is refused", async () => {
  const { truncateSync } = await import("node:fs");
  writeFileSync(at("short.safetensors"), safetensors(TENSORS));
  let cut = false;
  const onProgress = (): void => {
    if (!cut) truncateSync(at("short.safetensors"), 3 * BLOCK);
    cut = true;
  };
  const options = { recipe: RECIPES["pruned"], threads: 2, onProgress };
  await expect(coppice.compressFile(at("short.safetensors"), at("short.coppice"), options)).rejects.toMatchObject({
    name: "FormatError",
    code: "TRUNCATED",
  });
  expect(readdirSync(folder).filter((name) => name.includes("short.coppice"))).toEqual([]);
});

it("threads stop when a signal says so, and leave nothing", async () => {
  const reason = new Error("enough");
  for (const work of ["compressFile", "decompressFile"] as const) {
    const stop = new AbortController();
    const from = work === "compressFile" ? at("net.safetensors") : at("good.coppice");
    const options = { threads: 2, signal: stop.signal, onProgress: () => stop.abort(reason) };
    await expect(coppice[work](from, at("stopped"), options)).rejects.toBe(reason);
    expect(readdirSync(folder).filter((name) => name.includes("stopped"))).toEqual([]);
  }
});

it("threads stop when the caller throws at being told, or had given up before", async () => {
  const reason = new Error("a broken callback");
  const onProgress = (): never => {
    throw reason;
  };
  for (const options of [{ onProgress }, { signal: AbortSignal.abort(reason) }]) {
    await expect(coppice.compressFile(at("net.safetensors"), at("stopped"), { ...options, threads: 2 })).rejects.toBe(reason);
    await expect(coppice.decompressFile(at("good.coppice"), at("stopped"), { ...options, threads: 2 })).rejects.toBe(reason);
  }
  expect(readdirSync(folder).filter((name) => name.includes("stopped"))).toEqual([]);
});

it("of two faults the first in the file is told, whatever the threads", async () => {
  const { archive } = await coppice.compress([TENSORS[1], TENSORS[2]], { preset: "exact", threads: 1 });
  const second = coppice.readHeader(archive).tensors[1].recordOffset;
  archive[second - 10] ^= 1; // in the last block of the first tensor
  archive[second] = 7; // a coding that is reserved
  const errors = [];
  for (const threads of [1, 2, 3]) {
    errors.push(await coppice.decompressFile(archive, at("never"), { threads }).catch((error) => `${error.code} ${error.offset}`));
  }
  expect(errors[0]).toMatch(/^CHECKSUM/);
  expect(new Set(errors).size, errors.join()).toBe(1);
});

it("threads is checked", async () => {
  for (const threads of [0, 65, 1.5]) {
    await expect(coppice.compress([], { threads })).rejects.toThrow(/threads/);
    await expect(coppice.decompressFile(at("good.coppice"), at("never"), { threads })).rejects.toThrow(/threads/);
    await expect(coppice.decompressTo(at("good.coppice"), async () => undefined, { threads })).rejects.toThrow(/threads/);
  }
});
