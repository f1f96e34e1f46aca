import { cpSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, inject, it } from "vitest";
import metadata from "../../package.json" with { type: "json" };
import { run, testFolder } from "./cli.js";

it("tells its version before it loads a package: each costs a start some milliseconds", async () => {
  // Beyond the repository no package is found.
  const folder = testFolder();
  cpSync(inject("bundles"), folder, { recursive: true });
  writeFileSync(path.join(folder, "package.json"), '{"type":"module"}');
  for (const option of ["--version", "-V"]) {
    const { code, stdout, stderr } = await run(process.execPath, [path.join(folder, "cli.js"), option]);
    expect([code, stdout.toString(), stderr]).toEqual([0, `${metadata.version}\n`, ""]);
  }
  const help = await run(process.execPath, [path.join(folder, "cli.js"), "--help"]);
  expect(help.code, "the test would notice").not.toBe(0);
});
