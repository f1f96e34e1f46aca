import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT, WASM_MODULES } from "../../scripts/wasm.mjs";
import { importsOf, type SourceFile, sourcesUnder } from "./sources.js";

const MOST_LINES = 500;

const sources = sourcesUnder("src");
const assembly = sourcesUnder("assembly");

const BASE = ["src/errors.ts", "src/check.ts", "src/types.ts", "src/kernel-types.ts"];
/** The decoder, whoever understands the bytes for it. */
const DECODE = "src/decode/(?!index\\.ts)";
const ENGINE_KERNELS = "src/kernels/(engine|encode|nn)[a-z-]*\\.ts";
const RUN_KERNELS = "src/kernels/runner\\.ts";
const DECODER_KERNELS = "src/kernels/(?!engine|encode|nn|runner)";

/** A room and what its files may import; `*` stands for packages and node: modules. */
const ROOMS: readonly { room: string; may: readonly string[] }[] = [
  { room: "src/(errors|check|types|kernel-types)\\.ts", may: BASE },
  { room: "src/network/", may: ["src/network/", ...BASE] },
  { room: "src/decode/index\\.ts", may: [DECODE, "src/archive/", "src/kernels/decoder-core\\.ts", ...BASE] },
  { room: DECODE, may: [DECODE, "src/archive/", ...BASE] },
  { room: "src/reference/", may: ["src/reference/", DECODE, "src/archive/", ...BASE] },
  { room: DECODER_KERNELS, may: [DECODER_KERNELS, "src/archive/", "build/decoder\\.", ...BASE] },
  { room: RUN_KERNELS, may: [DECODER_KERNELS, "src/archive/", "build/runner\\.", ...BASE] },
  {
    room: "src/run/",
    may: ["src/run/", "src/network/", "src/decode/(index|drive|record)\\.ts", RUN_KERNELS, DECODER_KERNELS, "src/archive/", ...BASE],
  },
  { room: ENGINE_KERNELS, may: ["src/kernels/", "src/archive/", "build/engine\\.", ...BASE, "*"] },
  { room: "src/archive/(?!zlib\\.ts)", may: ["src/archive/", ...BASE] },
  { room: "src/archive/zlib\\.ts", may: ["src/archive/", ...BASE, "*"] },
  { room: "src/formats/", may: ["src/(?!codec/|pipeline/|kernels/|cli/|decode/)", "*"] },
  { room: "src/codec/", may: ["src/(?!formats/|pipeline/|cli/)", "*"] },
  { room: "src/pipeline/", may: ["src/(?!cli/)", "*"] },
  // The package that it is for, besides: what importing it brings in is asked for below.
  { room: "src/runtime/onnxruntime\\.ts", may: ["src/runtime/(?!node/)", "*"] },
  { room: "src/runtime/(?!node/|onnxruntime\\.)", may: ["src/runtime/(?!node/)", "src/decode/(index|drive|file)\\.ts", ...BASE] },
  { room: "src/runtime/node/", may: ["src/runtime/", "src/decode/index\\.ts", "src/formats/source\\.ts", ...BASE, "*"] },
  { room: "src/nn/", may: ["src/(?!formats/|pipeline/|cli/)", "*"] },
  { room: "src/train/", may: ["src/(?!cli/|reference/)", "*"] },
  { room: "src/eval/", may: ["src/(?!cli/)", "*"] },
  { room: "src/cli/", may: ["src/cli/", "src/((eval|train)/)?index\\.ts", "src/errors\\.ts", "package\\.json", "bench/entry\\.ts", "*"] },
  { room: "src/index\\.ts", may: ["src/(?!cli/)"] },
];

const starts = (pattern: string, file: string): boolean => new RegExp(`^${pattern}`).test(file);
const isOurs = (specifier: string): boolean => /^(src|build|assembly|bench)\/|^package\.json$/.test(specifier);

/** Every file that importing `entry` brings in, and every package. */
function graph(entry: string): Set<string> {
  const reached = new Set<string>();
  const visit = (file: string): void => {
    if (reached.has(file)) return;
    reached.add(file);
    for (const next of sources.find((source) => source.file === file)?.imports ?? []) visit(next);
  };
  visit(entry);
  return reached;
}

describe("imports", () => {
  it("are found in all their forms", () => {
    const text = `import a from "./a.js";\nimport { b,\n c } from './b.js';\nimport "./c.js";\nexport * from "./d.js";\nimport type { E } from "e";\nconst f = await import("./f.js");\n// import "./no.js"\nexport const from = "./no.js";`;
    expect(importsOf(text)).toEqual(["./a.js", "./b.js", "./c.js", "./d.js", "e", "./f.js"]);
  });

  it.each(sources)("of $file keep to its room", ({ file, imports }: SourceFile) => {
    const rooms = ROOMS.filter(({ room }) => starts(room, file));
    expect(rooms, "every file has one room").toHaveLength(1);
    const strays = imports.filter((target) =>
      isOurs(target) ? !rooms[0].may.some((pattern) => pattern !== "*" && starts(pattern, target)) : !rooms[0].may.includes("*"),
    );
    expect(strays).toEqual([]);
  });

  it.each([
    ["src/decode/index.ts", []],
    ["src/run/index.ts", []],
    ["src/reference/index.ts", []],
    ["src/runtime/tfjs.ts", []],
    ["src/runtime/transformers.ts", []],
    ["src/runtime/onnxruntime.ts", ["onnxruntime-web"]],
  ])("of %s reach nothing of Node, no engine, and no package but pako, which their bundle carries, and its peer", (entry, peers) => {
    expect([...graph(entry)].filter((file) => !isOurs(file) || /engine/.test(file))).toEqual(["pako", ...peers]);
  });

  it("of the decoder alone reach decoder.wasm, and of the reference no WebAssembly at all", () => {
    const wasm = (entry: string): string[] => [...graph(entry)].filter((file) => file.endsWith(".wasm"));
    expect(wasm("src/decode/index.ts")).toEqual(["build/decoder.wasm"]);
    expect(wasm("src/reference/index.ts")).toEqual([]);
    expect(wasm("src/run/index.ts").sort()).toEqual(["build/decoder.wasm", "build/runner.scalar.wasm", "build/runner.simd.wasm"]);
    for (const entry of ["src/index.ts", "src/nn/index.ts", "src/cli/main.ts", "src/pipeline/worker.ts"])
      expect(wasm(entry)).not.toContain("build/decoder.wasm");
    expect(wasm("src/index.ts")).toContain("build/engine.simd.wasm");
  });

  it.each([
    "src/pipeline/compress.ts",
    "src/pipeline/inspect.ts",
    "src/pipeline/memory-host.ts",
    "src/formats/safetensors.ts",
    "src/formats/bytes-source.ts",
  ])("of %s reach nothing of Node: a browser compresses with it", (entry) => {
    expect([...graph(entry)].filter((file) => file.startsWith("node:"))).toEqual([]);
  });

  it("of the command line reach the library through its public entries alone", () => {
    const direct = sources.filter(({ file }) => file.startsWith("src/cli/")).flatMap(({ imports }) => imports);
    expect(direct.filter((file) => file.startsWith("src/") && !/^src\/(cli\/|((eval|train)\/)?index\.ts|errors\.ts)/.test(file))).toEqual(
      [],
    );
  });

  it("of assembly/common stay in it", () => {
    const strays = assembly.filter(({ file }) => file.startsWith("assembly/common/")).flatMap(({ imports }) => imports);
    expect(strays.filter((file) => !file.startsWith("assembly/common/"))).toEqual([]);
  });
});

describe("files", () => {
  it.each([...sources, ...assembly])(`$file has at most ${MOST_LINES} lines`, ({ text }: SourceFile) => {
    expect(text.split("\n").length - 1).toBeLessThanOrEqual(MOST_LINES);
  });
});

describe.each(WASM_MODULES)("$file", ({ file }) => {
  const module = new WebAssembly.Module(readFileSync(path.join(ROOT, file)));

  it("imports nothing", () => expect(WebAssembly.Module.imports(module)).toEqual([]));

  it("exports functions and its memory, and no mutable state", () => {
    const kinds = WebAssembly.Module.exports(module).map(({ name, kind }) => (kind === "function" ? kind : `${kind} ${name}`));
    expect([...new Set(kinds)].sort()).toEqual(["function", "memory memory"]);
  });
});
