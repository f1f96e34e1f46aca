import { readFileSync } from "node:fs";
import path from "node:path";
import { build } from "esbuild";
import { deflateRaw } from "pako";
import { describe, expect, inject, it } from "vitest";
import { ROOT } from "../../scripts/wasm.mjs";
import { writeShell } from "../../src/archive/shell.js";
import { bytesSource } from "../../src/formats/index.js";
import { archiveOf, craftRecord } from "../archive/craft.js";
import { collect, expectSame } from "../formats/helpers.js";

/** What a program's bundle holds of what it imports, and the sources that it has bytes of. */
async function bundled(contents: string, resolveDir: string): Promise<{ text: string; sources: string[] }> {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir },
    absWorkingDir: ROOT,
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    external: ["*.wasm"],
    metafile: true,
    write: false,
  });
  const [output] = Object.values(metafile.outputs);
  return {
    text: outputFiles[0].text,
    sources: Object.entries(output.inputs).flatMap(([name, { bytesInOutput }]) => (bytesInOutput > 0 ? [name] : [])),
  };
}

/** Texts that no minifier changes, of toFile, of the shell, and of pako. */
const OF_FILES = [
  "path must be given",
  "a zlib group has",
  "no safetensors file can hold",
  "two files are named",
  "invalid distance too far back",
];

const found = (text: string): string[] => OF_FILES.filter((part) => text.includes(part));

describe.each(["decode.js", "decode.workerd.js"])("%s", (name) => {
  it("leaves toFile, and pako with it, out of a program that only decodes", async () => {
    const only = await bundled(`export { decode, decodeStream, open, readHeader } from "./${name}";`, inject("bundles"));
    expect(found(only.text)).toEqual([]);
    expect(only.text).not.toMatch(/pako/i);
    const all = await bundled(`export { toFile } from "./${name}";`, inject("bundles"));
    expect(found(all.text)).toEqual(OF_FILES);
  });
});

describe("the decoder's bundle", () => {
  it("names pako, whose licences stand beside it", () => {
    const [line] = readFileSync(path.join(inject("bundles"), "decode.js"), "utf8").split("\n");
    expect(line).toContain("pako.LICENSE");
    const license = readFileSync(path.join(inject("bundles"), "pako.LICENSE"), "utf8");
    for (const of of ["The MIT License", "Vitaly Puzrin", "Jean-loup Gailly", "'as-is'"]) expect(license).toContain(of);
  });
});

describe.each(["decode.js", "reference.js", "index.js"])("%s", (name) => {
  it("makes files with templates that it inflates and groups that it deflates", async () => {
    const { toFile } = (await import(path.join(inject("bundles"), name))) as typeof import("../../src/decode/index.js");
    const { open } = (await import(path.join(inject("bundles"), "decode.js"))) as typeof import("../../src/decode/index.js");
    const data = new TextEncoder().encode("the weights of a network, the weights");
    const tensor = { name: "weights", dtype: "U8", shape: [data.length], data } as const;
    const group = deflateRaw(data, { level: 9 });
    const template = [
      { kind: "bytes", bytes: new Uint8Array(999) },
      { kind: "deflate", level: 9, byteLength: group.length, pieces: [{ kind: "tensor", tensor: 0 }] },
    ] as const;
    const shell = writeShell([{ path: "", pieces: template }], [tensor], (bytes) => deflateRaw(bytes));
    expect(shell.length, "the template is deflated").toBeLessThan(100);
    const archive = archiveOf([{ ...tensor, record: craftRecord({ ...tensor, coding: "raw" }) }], shell);
    expectSame(await collect(toFile(await open(bytesSource(archive)))), Uint8Array.of(...new Uint8Array(999), ...group));
  });
});

describe("the sources of coppice/decode", () => {
  const OF_THE_SHELL = /(archive\/(files|order|safetensors-header|shell|template|zlib)|decode\/file)\.ts$|pako/;

  it("leave no statement of toFile's in a program that only decodes", async () => {
    const only = await bundled('export { decode, decodeStream, open, readHeader } from "./src/decode/index.ts";', ROOT);
    expect(only.sources.length).toBeGreaterThan(10);
    expect(only.sources.filter((file) => OF_THE_SHELL.test(file))).toEqual([]);
    const all = await bundled('export { toFile } from "./src/decode/index.ts";', ROOT);
    expect(all.sources.filter((file) => OF_THE_SHELL.test(file)).length).toBeGreaterThan(6);
  });
});
