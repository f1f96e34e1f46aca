import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT } from "../../scripts/wasm.mjs";
import { decodeWith } from "../../src/decode/decode.js";
import { crc32c } from "../../src/reference/index.js";
import { cores } from "../cores.js";
import { refused } from "./refused.js";

// The worked example of docs/format.md, as a reader of the document finds it.

const SECTION = readFileSync(path.join(ROOT, "docs/format.md"), "utf8").split(/^## 8\. Worked example$/m)[1] ?? "";

/** The fenced block of a language in the section. */
function fenced(language: string): string {
  return SECTION.match(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "ms"))?.[1] ?? "";
}

const lines = fenced("text")
  .split("\n")
  .filter((line) => line !== "")
  .map((line) => {
    const [, hex = "", text = ""] = line.match(/^((?:[0-9A-F]{2} ?)+) +(.*)$/) ?? [];
    return {
      bytes: hex
        .trim()
        .split(" ")
        .map((byte) => Number.parseInt(byte, 16)),
      text,
    };
  });
const archive = Uint8Array.from(lines.flatMap(({ bytes }) => bytes));
const stated: Record<string, number[] | number[][]> = JSON.parse(fenced("json"));

describe("the worked example of the format", () => {
  it("is as long as it says, and every line is bytes and what they are", () => {
    expect(SECTION).toContain(`An archive of ${archive.length} bytes`);
    for (const { bytes, text } of lines) {
      expect(text).not.toBe("");
      expect(bytes.every((byte) => byte >= 0 && byte <= 255)).toBe(true);
    }
  });

  it.each(cores)("decodes with the $name to the values that the document states", ({ core }) => {
    const tensors = decodeWith(core, archive);
    expect(tensors.map(({ name }) => name)).toEqual(Object.keys(stated));
    for (const { name, dtype, shape, data } of tensors) {
      const rows = stated[name];
      expect(dtype).toBe("F32");
      expect(shape).toEqual(Array.isArray(rows[0]) ? [rows.length, rows[0].length] : [rows.length]);
      expect([...new Float32Array(data.buffer, data.byteOffset, data.length / 4)]).toEqual(rows.flat());
    }
  });

  it("has the checksums where it says, over as many bytes", () => {
    let at = 0;
    let found = 0;
    for (const { bytes, text } of lines) {
      const [, covered] = text.match(/^CRC-32C of (?:the|the record's) (\d+) bytes before it$/) ?? [];
      if (covered !== undefined) {
        const view = new DataView(Uint8Array.from(bytes).buffer);
        expect(crc32c(archive.subarray(at - Number(covered), at))).toBe(view.getUint32(0, true));
        found++;
      }
      at += bytes.length;
    }
    expect(found).toBe(3);
  });

  it("spells its bits as the bytes have them", () => {
    const bitsOf = (hex: string): string =>
      hex
        .split(" ")
        .map((byte) => [...Number.parseInt(byte, 16).toString(2).padStart(8, "0")].reverse().join(""))
        .join("");
    const spelled = [...SECTION.matchAll(/`((?:[0-9A-F]{2} ?)+)`\s+is\s+`([01 ]+)`/g)];
    expect(spelled.length).toBe(3);
    for (const [, hex, bits] of spelled) {
      const all = bitsOf(hex);
      const said = bits.replaceAll(" ", "");
      expect(all.startsWith(said), hex).toBe(true);
      expect(all.slice(said.length)).toMatch(/^0{0,7}$/);
      expect(archive.toString()).toContain(
        hex
          .split(" ")
          .map((byte) => Number.parseInt(byte, 16))
          .join(),
      );
    }
  });

  it("is refused with any byte missing", () => {
    const [{ core }] = cores;
    for (let length = 0; length < archive.length; length++) refused(() => decodeWith(core, archive.subarray(0, length)), "TRUNCATED");
  });
});
