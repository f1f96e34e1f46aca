import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { beforeAll, describe, expect, it } from "vitest";
import { ROOT, WASM_MODULES } from "../../scripts/wasm.mjs";

const manifest = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8"));

/** How base64 of any WASM module begins: "\\0asm" and the version. */
const EMBEDDED = /AGFzbQEAAAA/g;

/** A file, or what there is under each condition. */
type Target = string | { readonly [condition: string]: Target };

const filesOf = (target: Target): string[] => (typeof target === "string" ? [target] : Object.values(target).flatMap(filesOf));

describe("the package", () => {
  let packed: string[];

  beforeAll(() => {
    const stdout = execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], { cwd: ROOT, encoding: "utf8" });
    // A list from npm up to 11, an object by package name after it.
    const [report] = Object.values(JSON.parse(stdout)) as { files: { path: string }[] }[];
    packed = report.files.map((file) => file.path);
  });

  it("holds what it exports, the command and the raw modules", () => {
    const targets = Object.entries(manifest.exports as Record<string, Target>)
      .filter(([subpath]) => !subpath.includes("*"))
      .flatMap(([, target]) => filesOf(target));
    const wanted = [
      ...targets.map((target) => path.posix.normalize(target)),
      manifest.bin.coppice,
      "LICENSE",
      "dist/pako.LICENSE",
      "README.md",
      "CHANGELOG.md",
    ];
    expect(packed).toEqual(expect.arrayContaining(wanted));
    expect(packed).toEqual(expect.arrayContaining(WASM_MODULES.map(({ file }) => file.replace("build/", "dist/wasm/"))));
  });

  it("holds no source, test or source map, but the C sources that coppice bench compiles", () => {
    const sources = packed.filter((file) => /^(src|test|assembly|build|bench|scripts)\/|\.map$|(?<!\.d)\.ts$/.test(file));
    expect(sources.filter((file) => !/^bench\/native\/\w+\.[ch]$/.test(file))).toEqual([]);
    expect(sources).toContain("bench/native/main.c");
  });

  it("passes publint", async () => {
    const { messages } = await publint({ pkgDir: ROOT, strict: true, pack: false });
    expect(messages.map((message) => formatMessage(message, manifest))).toEqual([]);
  });
});

describe("the bundles", () => {
  const dist = (name: string): string => readFileSync(path.join(ROOT, "dist", name), "utf8");

  it("have one FormatError, whichever entry it is taken from", async () => {
    const [index, decode] = await Promise.all([import("coppice"), import("coppice/decode")]);
    expect(index.FormatError).toBe(decode.FormatError);
  });

  it("for the edge is one file that carries no engine", () => {
    expect(dist("decode.js")).not.toMatch(/\bfrom\s*["']|\bimport\s*["'(]/);
    for (const [runtime, wasm] of [
      ["workerd", "./wasm/decoder.wasm"],
      ["edge-light", "./wasm/decoder.wasm?module"],
    ])
      expect(dist(`decode.${runtime}.js`).match(/\bfrom\s*["'].*|\bimport\s*["'(].*/g)).toEqual([`from "${wasm}";`]);
    const decoders = WASM_MODULES.filter(({ entry }) => entry === "decoder");
    expect(dist("decode.js").match(EMBEDDED)?.length ?? 0).toBeLessThanOrEqual(decoders.length);
  });

  it("of the command starts with a shebang and says the version", () => {
    expect(dist("cli.js")).toMatch(/^#!\/usr\/bin\/env node\n/);
    const stdout = execFileSync(process.execPath, [path.join(ROOT, manifest.bin.coppice), "--version"], { encoding: "utf8" });
    expect(stdout).toBe(`${manifest.version}\n`);
  });
});
