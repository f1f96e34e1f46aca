import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT } from "../../scripts/wasm.mjs";
import { decodeStreamWith, decodeWith } from "../../src/decode/decode.js";
import { decompress, type FormatErrorCode, inspect } from "../../src/index.js";
import { outcomeOf } from "../archive/outcome.js";
import { refused, refusedLater } from "../archive/refused.js";
import { cores } from "../cores.js";
import { chunked } from "../decode/streams.js";
import { BROKEN } from "./broken.js";
import type { Golden } from "./golden.js";

const FOLDER = path.join(ROOT, "test/golden");

const read = (...name: string[]): Uint8Array => new Uint8Array(readFileSync(path.join(FOLDER, ...name)));
const json = (...name: string[]): unknown => JSON.parse(readFileSync(path.join(FOLDER, ...name), "utf8"));
const archivesIn = (...folder: string[]): string[] => readdirSync(path.join(FOLDER, ...folder)).filter((name) => name.endsWith(".coppice"));
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

const goldens = Object.entries(json("expected.json") as Record<string, Golden>);
const bad = Object.entries(json("bad", "expected.json") as Record<string, { code: FormatErrorCode; shell?: true }>);

describe.each(goldens)("%s", (name, { tensors, files }) => {
  const archive = read(name);

  it.each(cores)("decodes as ever with the $name", async ({ core }) => {
    const decoded = decodeWith(core, archive);
    const found = decoded.map(({ name: tensor, dtype, shape, data }) => ({ name: tensor, dtype, shape, sha256: sha256(data) }));
    if (tensors.length > 0) expect(found).toEqual(tensors);
    let i = 0;
    for await (const { data } of decodeStreamWith(core, chunked(archive, 1000))) expect(sha256(data)).toBe(found[i++].sha256);
    expect(i).toBe(decoded.length);
  });

  it("gives its files back and can be inspected", async () => {
    const found = (await decompress(archive)).map((file) => ({ path: file.path, sha256: sha256(file.bytes) }));
    if (files.length > 0) expect(found).toEqual(files);
    const { file } = await inspect(archive);
    expect(file.bytes).toBe(archive.length);
  });
});

describe.each(bad)("bad/%s", (name, { code, shell }) => {
  const archive = read("bad", name);

  it(`is refused as ${code}`, async () => {
    await refusedLater(decompress(archive), code, name);
    for (const { name: title, core } of cores) {
      if (shell) expect(outcomeOf(core, archive).error, title).toBeUndefined();
      else refused(() => decodeWith(core, archive), code, title);
    }
  });
});

it("every golden file is expected, and they are small", () => {
  expect(archivesIn().sort()).toEqual(goldens.map(([name]) => name).sort());
  expect(archivesIn("bad").sort()).toEqual(bad.map(([name]) => name).sort());
  expect(bad.length).toBe(Object.keys(BROKEN).length);
  const sizes = [...archivesIn().map((name) => [name]), ...archivesIn("bad").map((name) => ["bad", name])].map(
    (name) => statSync(path.join(FOLDER, ...name)).size,
  );
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(100_000);
});
