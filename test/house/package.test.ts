import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { build } from "esbuild";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROOT, WASM_MODULES } from "../../scripts/wasm.mjs";

const manifest = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8"));

/** How base64 of any WASM module begins: "\\0asm" and the version. */
const EMBEDDED = /AGFzbQEAAAA/g;

/** A file, or what there is under each condition. */
type Target = string | { readonly [condition: string]: Target };

const filesOf = (target: Target): string[] => (typeof target === "string" ? [target] : Object.values(target).flatMap(filesOf));

/** The files of the package. */
let packed: string[];

beforeAll(() => {
  const stdout = execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], { cwd: ROOT, encoding: "utf8" });
  // A list from npm up to 11, an object by package name after it.
  const [report] = Object.values(JSON.parse(stdout)) as { files: { path: string }[] }[];
  packed = report.files.map((file) => file.path);
});

describe("the package", () => {
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

  it("holds no source, test or source map, but the C sources that coppice bench compiles, and the peer that it starts", () => {
    const sources = packed.filter((file) => /^(src|test|assembly|build|bench|scripts)\/|\.map$|(?<!\.d)\.ts$/.test(file));
    expect(sources.filter((file) => !/^bench\/native\/\w+\.[ch]$/.test(file))).toEqual(["bench/peers/scipy_csr.py"]);
    expect(sources).toContain("bench/native/main.c");
  });

  it("passes publint", async () => {
    const { messages } = await publint({ pkgDir: ROOT, strict: true, pack: false });
    expect(messages.map((message) => formatMessage(message, manifest))).toEqual([]);
  });
});

describe("the declarations", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "coppice-types-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** What the compiler says of a module of a strict project that checks the declarations of packages too, and has no @types/node nor anything else than coppice. */
  function complaints(file: string, ...options: string[]): string {
    const tsc = path.join(path.dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin/tsc");
    const args = [tsc, file, "--noEmit", "--strict", "--skipLibCheck", "false", "--types", "", "--target", "es2022", ...options];
    return spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8" }).stdout;
  }

  beforeAll(() => {
    // A copy: through a link the compiler would find the types that stand in node_modules here.
    for (const file of packed) cpSync(path.join(ROOT, file), path.join(folder, "node_modules/coppice", file));
    writeFileSync(path.join(folder, "package.json"), '{ "type": "module" }');
    for (const name of ["", "decode", "run", "nn", "reference"])
      writeFileSync(path.join(folder, `${name || "index"}.ts`), `export * from ${JSON.stringify(path.posix.join("coppice", name))};\n`);
  });

  it.each(["index", "decode", "run", "nn", "reference"])("of %s need no other types than a browser's", (name) => {
    for (const lib of ["es2022,dom", "es2022,webworker"]) {
      expect(complaints(`${name}.ts`, "--module", "nodenext", "--lib", lib)).toBe("");
      expect(complaints(`${name}.ts`, "--module", "esnext", "--moduleResolution", "bundler", "--lib", lib)).toBe("");
    }
  });

  it("say that what is wrong is wrong", () => {
    writeFileSync(path.join(folder, "wrong.ts"), 'import { decode } from "coppice/decode";\ndecode("net.coppice");\n');
    expect(complaints("wrong.ts", "--module", "nodenext", "--lib", "es2022,dom")).toMatch(/^wrong\.ts\(2,8\): error/);
  });
});

describe("the bundles", () => {
  const dist = (name: string): string => readFileSync(path.join(ROOT, "dist", name), "utf8");

  it.each(["node", "workerd", "edge-light"])(
    "have one FormatError under the condition %s, whichever entry it is taken from",
    async (condition) => {
      const entries = ["coppice", "coppice/decode", "coppice/run", "coppice/reference"];
      const { outputFiles } = await build({
        stdin: {
          contents: entries.map((entry, i) => `export { FormatError as of${i} } from ${JSON.stringify(entry)};`).join("\n"),
          resolveDir: ROOT,
        },
        bundle: true,
        format: "esm",
        platform: "node",
        conditions: [condition],
        loader: { ".wasm": "empty" },
        logLevel: "error",
        write: false,
      });
      const file = path.join(mkdtempSync(path.join(tmpdir(), "coppice-errors-")), "errors.mjs");
      afterAll(() => rmSync(path.dirname(file), { recursive: true, force: true }));
      writeFileSync(file, outputFiles[0].contents);
      expect(new Set(Object.values(await import(file))).size).toBe(1);
    },
  );

  it("for the edge is one file that carries no engine", () => {
    expect(dist("decode.js")).not.toMatch(/\bfrom\s*["']|\bimport\s*["'(]/);
    const decoders = WASM_MODULES.filter(({ entry }) => entry === "decoder");
    expect(dist("decode.js").match(EMBEDDED)?.length ?? 0).toBeLessThanOrEqual(decoders.length);
  });

  it.each([
    ["workerd", "./wasm/decoder.wasm"],
    ["edge-light", "./wasm/decoder.wasm?module"],
  ])("for %s takes the module, and what all entries share, from beside it", (runtime, wasm) => {
    const imported = [...dist(`decode.${runtime}.js`).matchAll(/\bfrom\s*"(.*)"|\bimport\s*["'(](.*)/g)].map(
      ([, from, plain]) => from ?? plain,
    );
    expect(new Set(imported)).toEqual(new Set([wasm, "./decode.js"]));
  });

  it.each([
    ["run.js", ["./decode.js"]],
    ["run.workerd.js", ["./decode.js", "./decode.workerd.js", "./wasm/runner.scalar.wasm", "./wasm/runner.simd.wasm"]],
    ["run.edge-light.js", ["./decode.edge-light.js", "./decode.js", "./wasm/runner.scalar.wasm?module", "./wasm/runner.simd.wasm?module"]],
  ])("%s takes what understands archives, and errors, from the decoder beside it", (file, wanted) => {
    const imported = [...dist(file).matchAll(/\bfrom\s*"(.*)"|\bimport\s*["'(](.*)/g)].map(([, from, plain]) => from ?? plain);
    expect([...new Set(imported)].sort()).toEqual(wanted);
  });

  it("of the command starts with a shebang and says the version", () => {
    expect(dist("cli.js")).toMatch(/^#!\/usr\/bin\/env node\n/);
    const stdout = execFileSync(process.execPath, [path.join(ROOT, manifest.bin.coppice), "--version"], { encoding: "utf8" });
    expect(stdout).toBe(`${manifest.version}\n`);
  });
});
