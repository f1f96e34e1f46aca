import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { ModelFolder } from "../../src/formats/folder.js";
import { ascii, expectSame, floats, refused } from "./helpers.js";
import { writeFiles } from "./several.js";

const folder = mkdtempSync(path.join(tmpdir(), "coppice-folder-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (...parts: string[]): string => path.join(folder, ...parts);

writeFiles(folder, { secret: ascii("secret"), "m/model": ascii("{}"), "m/a": floats(5), "m/sub/b": floats(3), "other/c": floats(2) });

async function opened<T>(work: (model: ModelFolder) => Promise<T>, model = at("m", "model")): Promise<T> {
  const beside = new ModelFolder(model);
  try {
    return await work(beside);
  } finally {
    await beside.close();
  }
}

const all = async (model: ModelFolder, name: string): Promise<Uint8Array> => {
  const source = await model.open(name);
  return source.read(0, source.byteLength);
};

describe("the files beside a model", () => {
  it("are opened in its folder and below, by a relative path", async () => {
    await opened(async (model) => {
      expectSame(await all(model, "a"), floats(5));
      expectSame(await all(model, "sub/b"), floats(3));
      expect(await model.open("a")).toBe(await model.open("a"));
    });
  });

  it.each(["../secret", "..", ".", "", "sub/../../secret", "/etc/passwd", "sub//b", "./a", "..\\secret", "c:secret", "a\0"])(
    "are refused where the path is %j",
    async (name) => void (await opened((model) => refused(model.open(name), "CORRUPT"))),
  );

  it("are refused where they are missing, or no files, whatever is in their way", () =>
    opened(async (model) => {
      await refused(model.open("none"), "TRUNCATED");
      await refused(model.open("a/b"), "TRUNCATED");
      await refused(model.open("sub"), "CORRUPT");
      await refused(model.open("n".repeat(5000)), "CORRUPT");
    }));

  it.skipIf(process.platform === "win32")("are refused where links leave the folder, and a pipe is not waited for", () =>
    opened(async (model) => {
      symlinkSync("a", at("m", "inside"));
      symlinkSync("../secret", at("m", "outside"));
      symlinkSync("..", at("m", "up"));
      symlinkSync("round", at("m", "round"));
      execFileSync("mkfifo", [at("m", "pipe")]);
      expectSame(await all(model, "inside"), floats(5));
      for (const name of ["outside", "up/secret", "up/other/c", "round", "pipe"]) await refused(model.open(name), "CORRUPT");
      expectSame(await all(model, "up/m/a"), floats(5));
    }),
  );

  it.skipIf(process.platform === "win32")("are found as in a cache of models, whose folder holds links into one of bytes", async () => {
    writeFiles(at("cache"), { "blobs/1": ascii("{}"), "blobs/2": floats(9) });
    mkdirSync(at("cache", "snapshots", "x"), { recursive: true });
    symlinkSync("../../blobs/1", at("cache", "snapshots", "x", "model"));
    symlinkSync("../../blobs/2", at("cache", "snapshots", "x", "shard"));
    symlinkSync("../../../secret", at("cache", "snapshots", "x", "far"));
    await opened(
      async (model) => {
        expectSame(await all(model, "shard"), floats(9));
        await refused(model.open("far"), "CORRUPT");
      },
      at("cache", "snapshots", "x", "model"),
    );
  });

  const many = Array.from({ length: 200 }, (_, i) => `many/${i}`);
  it("are held open only so far, and all can be read, until one becomes shorter or is gone", async () => {
    writeFiles(at("m"), Object.fromEntries(many.map((name, i) => [name, floats(10, i)])));
    const handles = (): number => (process.platform === "linux" ? readdirSync("/proc/self/fd").length : 0);
    const before = handles();
    await opened(async (model) => {
      const sources = await Promise.all(many.map((name) => model.open(name)));
      expect(handles() - before).toBeLessThanOrEqual(64);
      for (const [i, source] of [...sources.entries()].reverse()) expectSame(await source.read(3, 30), floats(10, i).subarray(3, 33));
      expect(handles() - before).toBeLessThanOrEqual(64);
      expect(sources.filter(({ place }) => place).length).toBeLessThanOrEqual(64);
      const last = sources[199];
      await expect((async () => last.read(30, 11))()).rejects.toThrow(RangeError);
      truncateSync(at("m", "many", "199"), 20);
      expect((await refused(last.read(10, 30), "TRUNCATED")).offset).toBe(20);
      renameSync(at("m", "many", "199"), at("m", "many", "gone"));
      await expect(last.read(0, 1)).rejects.toMatchObject({ code: "ENOENT" });
    });
    expect(handles()).toBe(before);
  });
});
