import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, inject, it } from "vitest";
import { ROOT } from "../../scripts/wasm.mjs";
import { decode, init, open } from "../../src/decode/index.js";
import { bytesSource } from "../../src/formats/bytes-source.js";
import { ARCHIVE, TENSORS } from "./libraries.js";

const wasm = readFileSync(path.join(ROOT, "build/decoder.wasm"));

/** "\0asm", version 1. */
const EMPTY = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

const expected = TENSORS.map(({ data }) => data);

describe("init", () => {
  it("takes a module at any time, and what was opened before goes on", async () => {
    const module = new WebAssembly.Module(wasm);
    const before = await open(bytesSource(ARCHIVE));
    for (let times = 0; times < 2; times++) {
      init(module);
      expect(decode(ARCHIVE).map(({ data }) => data)).toEqual(expected);
    }
    expect((await before.tensor(before.header.tensors[0])).data).toEqual(expected[0]);
  });

  it("refuses what is no module of the decoder, and changes nothing", () => {
    for (const wrong of [new WebAssembly.Module(EMPTY), wasm, {}, undefined]) {
      expect(() => init(wrong as never)).toThrow(TypeError);
      expect(decode(ARCHIVE).length).toBe(TENSORS.length);
    }
  });

  it("spares the host from compiling bytes, which it may forbid", () => {
    const code = `
      import { readFileSync } from "node:fs";
      const module = new WebAssembly.Module(readFileSync(${JSON.stringify(path.join(ROOT, "build/decoder.wasm"))}));
      class Forbidden { static exports = WebAssembly.Module.exports; constructor() { throw new Error("may not compile"); } }
      WebAssembly.Module = Forbidden;
      const { decode, init } = await import("./decode.js");
      const archive = Uint8Array.from(${JSON.stringify([...ARCHIVE])});
      try { decode(archive); } catch ({ message }) { console.log(message); }
      init(module);
      console.log(decode(archive).length);
    `;
    const output = execFileSync(process.execPath, ["--input-type=module", "--eval", code], { encoding: "utf8", cwd: inject("bundles") });
    expect(output).toBe(`may not compile\n${TENSORS.length}\n`);
  });
});
