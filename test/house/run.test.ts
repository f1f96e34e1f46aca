import { execFile, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { ROOT } from "../../scripts/wasm.mjs";

const folder = mkdtempSync(path.join(tmpdir(), "coppice-run-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const RUNS = path.join(ROOT, "build/run");

/** Runs TypeScript by scripts/run.mjs; gives what it prints. */
async function runs(code: string, ...args: string[]): Promise<string> {
  const file = path.join(folder, "program.ts");
  writeFileSync(file, code);
  return (await promisify(execFile)(process.execPath, [path.join(ROOT, "scripts/run.mjs"), file, ...args])).stdout;
}

describe("scripts/run.mjs", () => {
  it("runs a file of the library's users, with threads too", async () => {
    const code = `
      import { compress } from ${JSON.stringify(path.join(ROOT, "src/index.js"))};
      const tensors = ["a", "b"].map((name) => ({ name, dtype: "U8" as const, shape: [3], data: Uint8Array.of(1, 2, 3) }));
      const { report } = await compress(tensors, { threads: Number(process.argv[2]) });
      console.log(report.tensors.map(({ name }) => name).join());
    `;
    expect(await runs(code, "2")).toBe("a,b\n");
  });

  it("leaves nothing, not even where the program ends the process, and clears what those left that were killed", async () => {
    const { pid } = spawnSync(process.execPath, ["--version"]);
    const [stale, alive] = [String(pid), String(process.pid)].map((name) => path.join(RUNS, name));
    for (const run of [stale, alive]) mkdirSync(run, { recursive: true });
    try {
      const own = (await runs("console.log(process.pid); process.exit(0);")).trim();
      expect(existsSync(path.join(RUNS, own))).toBe(false);
      expect(existsSync(stale)).toBe(false);
      expect(existsSync(alive)).toBe(true);
    } finally {
      rmSync(alive, { recursive: true });
    }
  });
});
