import { exec } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { installed, ROOT } from "./paths.ts";
import { serveWorkerd } from "./runtimes/workerd.ts";

const run = promisify(exec);
const EDGE = path.join(ROOT, "examples/edge");
const README = readFileSync(path.join(EDGE, "README.md"), "utf8");
const DRAWINGS = readdirSync(path.join(EDGE, "digits")).sort();

/** A folder with the runtimes by the names that the README calls them by. */
const bin = mkdtempSync(path.join(tmpdir(), "coppice-bin-"));
symlinkSync(process.execPath, path.join(bin, "node"));
symlinkSync(installed("@deno/linux-x64-glibc", "deno"), path.join(bin, "deno"));
symlinkSync(installed("@oven/bun-linux-x64", "bin/bun"), path.join(bin, "bun"));

const PATHS = { ...process.env, PATH: `${bin}:${process.env["PATH"]}` };

/** Runs the line of the README that begins so, in the root of the repository. */
async function runLine(start: string): Promise<string> {
  const line = README.split("\n").find((text) => text.startsWith(start));
  if (line === undefined) throw new Error(`examples/edge/README.md has no line ${start}`);
  return (await run(line, { cwd: ROOT, env: PATHS })).stdout;
}

describe("the example that runs a network from its archive", () => {
  const lines = readFileSync(path.join(ROOT, "examples/run/README.md"), "utf8").split("\n");
  const line = lines.find((text) => text.startsWith("node examples/run/"))!;

  it.each(["lenet-300-100", "lenet-5"])("reads every drawn digit with %s", async (name) => {
    const { stdout } = await run(line.replaceAll("lenet-300-100", name), { cwd: ROOT, env: PATHS });
    const read = stdout.trim().split("\n");
    expect(read).toHaveLength(DRAWINGS.length);
    for (const text of read) expect(text).toMatch(/\b(\d)\.txt: \1 \(\d+\.\d %\)$/);
  });

  it("tells what it wants where it is given less", async () => {
    const { code, stdout, stderr } = await run("node examples/run/digits.js net.coppice net.json", { cwd: ROOT, env: PATHS }).catch(
      (error) => error,
    );
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toBe("usage: node examples/run/digits.js ARCHIVE NETWORK.json DRAWING...\n");
  });
});

describe("the examples for the edge", () => {
  afterAll(() => rmSync(bin, { recursive: true }));

  it("have a drawing of each digit", () => {
    expect(DRAWINGS).toEqual(Array.from("0123456789", (digit) => `${digit}.txt`));
  });

  it.each(["node", "deno", "bun"])("read every drawn digit in %s", async (runtime) => {
    const lines = (await runLine(`${runtime} ${runtime === "deno" ? "run --allow-read " : ""}examples/edge/`)).trim().split("\n");
    expect(lines).toHaveLength(DRAWINGS.length);
    for (const line of lines) expect(line).toMatch(/\b(\d)\.txt: \1 \(9\d\.\d %\)$|\b(\d)\.txt: \2 \(100\.0 %\)$/);
  });

  it.each(["node", "deno run --allow-read", "bun"])("tell what they want where they are given less, to Node too: %s", async (start) => {
    const script = path.join(EDGE, `${start.split(" ")[0]}.js`);
    for (const command of [`${start} ${script}`, `${start} ${script} net.coppice`, `node ${script}`]) {
      const { code, stdout, stderr } = await run(command, { env: PATHS }).catch((error) => error);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toMatch(new RegExp(`^usage: ${start} .*\\.js ARCHIVE DRAWING\\.\\.\\.\\n$`));
    }
  });

  it("read every drawn digit in a Worker, which streams the archive from its assets", async () => {
    const { origin, close } = await serveWorkerd(
      path.join(EDGE, "worker.capnp"),
      `--directory-path=assets=${path.join(ROOT, "examples/models")}`,
    );
    try {
      for (const drawing of DRAWINGS) {
        const response = await fetch(origin, { method: "POST", body: readFileSync(path.join(EDGE, "digits", drawing)) });
        const { digit, probability } = (await response.json()) as { digit: number; probability: number };
        expect(`${digit}.txt`).toBe(drawing);
        expect(probability).toBeGreaterThan(0.9);
      }
      expect((await fetch(origin)).status).toBe(405);
    } finally {
      await close();
    }
  });
});
