import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  compress,
  compressFile,
  compressTo,
  decode,
  decompress,
  decompressFile,
  decompressTo,
  OutputExistsError,
  type Progress,
} from "../../src/index.js";
import { writeWhole } from "../../src/pipeline/output.js";
import { Spool } from "../../src/pipeline/spool.js";
import { SAMPLES } from "../archive/samples.js";
import { expectSame } from "../kernels/all.js";
import { Random } from "../random.js";
import { FILES, NETWORK } from "./models.js";

let folder = "";
beforeEach(() => void (folder = mkdtempSync(path.join(tmpdir(), "coppice-test-"))));
afterEach(() => rmSync(folder, { recursive: true }));

const at = (...parts: string[]): string => path.join(folder, ...parts);
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

describe("a file is written whole or not at all", () => {
  it("with the folders on its way, and nothing beside it", async () => {
    const result = await writeWhole(at("a", "b", "f"), false, async (sink) => {
      await sink(text("one "));
      expect(existsSync(at("a", "b", "f")), "not before it is done").toBe(false);
      await sink(text("two"));
      return 7;
    });
    expect(result).toBe(7);
    expect(readFileSync(at("a", "b", "f"), "utf8")).toBe("one two");
    expect(readdirSync(at("a", "b"))).toEqual(["f"]);
  });

  it("and not over one that is there, unless that is forced", async () => {
    writeFileSync(at("f"), "old");
    let called = false;
    const refused = writeWhole(at("f"), false, async () => void (called = true));
    await expect(refused).rejects.toThrow(OutputExistsError);
    await expect(refused).rejects.toMatchObject({ path: at("f") });
    expect(called, "before any work").toBe(false);
    expect(readFileSync(at("f"), "utf8")).toBe("old");
    await writeWhole(at("f"), true, (sink) => sink(text("new")));
    expect(readFileSync(at("f"), "utf8")).toBe("new");
    expect(readdirSync(folder)).toEqual(["f"]);
  });

  it("and not over one that came while it was written", async () => {
    const late = writeWhole(at("f"), false, async (sink) => {
      await sink(text("mine"));
      writeFileSync(at("f"), "theirs");
    });
    await expect(late).rejects.toThrow(OutputExistsError);
    expect(readFileSync(at("f"), "utf8")).toBe("theirs");
    expect(readdirSync(folder)).toEqual(["f"]);
  });

  it("with an error in the middle leaving the old file, or none, and no temporary one", async () => {
    const reason = new Error("in the middle");
    const failing = async (sink: (bytes: Uint8Array) => Promise<void>): Promise<never> => {
      await sink(text("half"));
      throw reason;
    };
    await expect(writeWhole(at("f"), false, failing)).rejects.toBe(reason);
    expect(readdirSync(folder)).toEqual([]);
    writeFileSync(at("f"), "old");
    await expect(writeWhole(at("f"), true, failing)).rejects.toBe(reason);
    expect(readFileSync(at("f"), "utf8")).toBe("old");
    expect(readdirSync(folder)).toEqual(["f"]);
  });

  it("through a link, which stays", async () => {
    writeFileSync(at("real"), "old");
    symlinkSync("real", at("link"));
    await writeWhole(at("link"), true, (sink) => sink(text("new")));
    expect(lstatSync(at("link")).isSymbolicLink()).toBe(true);
    expect(readFileSync(at("real"), "utf8")).toBe("new");
  });

  it("and never in the place of a folder", async () => {
    mkdirSync(at("d"));
    for (const force of [false, true]) await expect(writeWhole(at("d"), force, async () => undefined)).rejects.toThrow();
    expect(lstatSync(at("d")).isDirectory()).toBe(true);
    expect(readdirSync(folder)).toEqual(["d"]);
  });
});

describe("files of models", () => {
  it("are compressed and decompressed by path, as in memory", async () => {
    writeFileSync(at("net.safetensors"), FILES["network.safetensors"]);
    const report = await compressFile(at("net.safetensors"), at("net.coppice"));
    const inMemory = await compress(FILES["network.safetensors"]);
    expectSame(new Uint8Array(readFileSync(at("net.coppice"))), inMemory.archive);
    expect(report).toEqual(inMemory.report);
    await compressFile(at("net.safetensors"), at("exact.coppice"), { preset: "exact" });
    expect(await decompressFile(at("exact.coppice"), at("back"))).toEqual([at("back")]);
    expectSame(new Uint8Array(readFileSync(at("back"))), FILES["network.safetensors"]);
    await expect(decompressFile(at("exact.coppice"), at("back"))).rejects.toThrow(OutputExistsError);
    await expect(compressFile(NETWORK, at("net.coppice"))).rejects.toThrow(OutputExistsError);
    await compressFile(NETWORK, at("net.coppice"), { force: true });
    expect(readdirSync(folder).sort()).toEqual(["back", "exact.coppice", "net.coppice", "net.safetensors"]);
  });

  it("that fail leave nothing", async () => {
    writeFileSync(at("bad.npy"), FILES["w.npy"].subarray(0, 200));
    await expect(compressFile(at("bad.npy"), at("out.coppice"))).rejects.toMatchObject({ name: "FormatError" });
    const { archive } = await compress(FILES["network.safetensors"], { preset: "exact" });
    archive[archive.length - 1] ^= 1; // the last tensor's checksum: found when most is written
    await expect(decompressFile(archive, at("out.safetensors"))).rejects.toMatchObject({ code: "CHECKSUM" });
    expect(readdirSync(folder)).toEqual(["bad.npy"]);
  });

  it("of several files go into a folder, and not into one sink", async () => {
    const archive = SAMPLES.get("files")?.archive as Uint8Array;
    const written = await decompressFile(archive, at("model")).catch((error) => error);
    expect(written).toEqual([at("model", "a.bin"), at("model", "sub", "b.bin")]);
    expect(readFileSync(at("model", "a.bin"), "latin1")).toMatch(/^head.*!$/s);
    await expect(decompressTo(archive, async () => undefined)).rejects.toMatchObject({ code: "UNSUPPORTED" });
    writeFileSync(at("file"), "");
    await expect(decompressFile(archive, at("file"))).rejects.toThrow(/^output must name a folder for the 2 files/);
    const told = await decompressFile(archive, (paths) => at(`${paths.length} files`, "below"));
    expect(told).toEqual([at("2 files", "below", "a.bin"), at("2 files", "below", "sub", "b.bin")]);
  });

  it("of which tensors are divided among several", async () => {
    const archive = SAMPLES.get("parts")?.archive as Uint8Array;
    const wanted = await decompress(archive);
    const progress: number[] = [];
    const onProgress = ({ doneBytes, totalBytes }: Progress): void => void progress.push(doneBytes / totalBytes);
    await decompressFile(archive, at("model"), { onProgress });
    for (const file of wanted) expectSame(new Uint8Array(readFileSync(at("model", file.path))), file.bytes);
    expect(progress.at(-1)).toBe(1);
    const tensors = decode(archive);
    const shards = Buffer.concat(wanted.slice(1).map(({ bytes }) => bytes));
    expectSame(new Uint8Array(shards), Uint8Array.of(60, ...tensors[0].data, 124, ...tensors[1].data));
  });

  it("of several files appear all or none, without the folders that were made for them", async () => {
    const archive = Uint8Array.from(SAMPLES.get("parts")?.archive ?? []);
    archive[archive.length - 1] ^= 1; // the last tensor's checksum: it is in the last file
    await expect(decompressFile(archive, at("a", "b"))).rejects.toMatchObject({ code: "CHECKSUM" });
    expect(readdirSync(folder)).toEqual([]);
    mkdirSync(at("a"));
    await expect(decompressFile(archive, at("a", "b"))).rejects.toMatchObject({ code: "CHECKSUM" });
    expect(readdirSync(folder)).toEqual(["a"]);
    writeFileSync(at("a", "shard3"), "old");
    const whole = SAMPLES.get("parts")?.archive as Uint8Array;
    await expect(decompressFile(whole, at("a"))).rejects.toThrow(OutputExistsError);
    expect(readdirSync(at("a"))).toEqual(["shard3"]);
    await expect(decompressFile(archive, at("a"), { force: true })).rejects.toMatchObject({ code: "CHECKSUM" });
    expect(readdirSync(at("a"))).toEqual(["shard3"]);
    expect(readFileSync(at("a", "shard3"), "utf8")).toBe("old");
  });

  it("go through sinks in order", async () => {
    const chunks: Uint8Array[] = [];
    const collect = async (bytes: Uint8Array): Promise<void> => void chunks.push(bytes.slice());
    const { file } = await compressTo(FILES["deflated.npz"], collect, { preset: "exact" });
    const archive = new Uint8Array(Buffer.concat(chunks.splice(0)));
    expect(archive.length).toBe(file.bytes);
    await decompressTo(archive, collect);
    expectSame(new Uint8Array(Buffer.concat(chunks)), FILES["deflated.npz"]);
    const reason = new Error("the pipe is broken");
    const broken = async (): Promise<never> => {
      throw reason;
    };
    await expect(compressTo(NETWORK, broken)).rejects.toBe(reason);
    await expect(decompressTo(archive, broken)).rejects.toBe(reason);
  });
});

describe("the spool", () => {
  const random = new Random(9);
  const block = random.bytes(1 << 16);

  /** `count` pieces, of which each tells itself apart. */
  function pieces(count: number, byteLength: number): Uint8Array[] {
    return Array.from({ length: count }, (_, i) => {
      const piece = new Uint8Array(byteLength);
      for (let at = 0; at < byteLength; at += block.length) piece.set(block.subarray(0, Math.min(block.length, byteLength - at)), at);
      piece.set([i & 255, i >> 8]);
      return piece;
    });
  }

  it.each([
    { name: "in memory", count: 20, byteLength: 3000 },
    { name: "in memory, some of them put together", count: 50, byteLength: 9000 },
    { name: "in a file", count: 23, byteLength: 3 * 2 ** 20 + 17 }, // beyond 64 MiB, and some in memory after it
  ])("gives back what was added, $name", async ({ count, byteLength }) => {
    const spool = new Spool();
    const before = readdirSync(tmpdir()).filter((name) => name.endsWith(".spool"));
    try {
      const all = pieces(count, byteLength);
      for (const piece of all) await spool.add([piece.subarray(0, 5), piece.subarray(5)]);
      const whole = Buffer.concat(all);
      for (const [offset, length] of [
        [0, 10],
        [byteLength - 3, 9],
        [(count - 2) * byteLength - 1, byteLength + 5],
        [whole.length - 1, 1],
        [whole.length, 0],
        [7, 0],
      ]) {
        expectSame(await spool.read(offset, length), new Uint8Array(whole.subarray(offset, offset + length)), `${offset}`);
      }
      let copied = 0;
      await spool.copyTo(async (bytes) => {
        expect(Buffer.compare(bytes, whole.subarray(copied, copied + bytes.length))).toBe(0);
        copied += bytes.length;
      });
      expect(copied).toBe(whole.length);
      if (process.platform !== "win32") {
        expect(
          readdirSync(tmpdir()).filter((name) => name.endsWith(".spool")),
          "its file has no name",
        ).toEqual(before);
      }
    } finally {
      await spool.close();
    }
  });

  it("gives many short records as few pieces", async () => {
    const spool = new Spool();
    for (const piece of pieces(3000, 100)) await spool.add([piece]);
    let calls = 0;
    await spool.copyTo(async () => void calls++);
    expect(calls).toBeLessThanOrEqual(5);
    await spool.close();
  });
});
