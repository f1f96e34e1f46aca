import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { at } from "../../src/kernels/arena.js";
import { crc32c, crc32cAt } from "../../src/kernels/crc32c.js";
import { crc32c as reference } from "../../src/reference/index.js";
import { engines } from "../variants.js";

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Fixed bytes without a pattern that a table could hide. */
function noise(byteLength: number): Uint8Array {
  const bytes = new Uint8Array(byteLength);
  for (let i = 0, state = 1; i < byteLength; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

// The check value of the CRC catalogue and the vectors of RFC 3720, appendix B.4.
const VECTORS: readonly (readonly [string, Uint8Array, number])[] = [
  ["nothing", new Uint8Array(0), 0],
  ["123456789", ascii("123456789"), 0xe3069283],
  ["32 zeros", new Uint8Array(32), 0x8a9136aa],
  ["32 ones", new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ["32 rising", Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
  ["32 falling", Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
];

describe("crc32c in the reference", () => {
  it.each(VECTORS)("gives the published value for %s", (_, bytes, value) => expect(reference(bytes)).toBe(value));
});

describe.each(engines)("crc32c on $name", ({ variant, load }) => {
  const module = load();

  it("is the variant it claims to be", () => {
    expect(module.variant).toBe(variant);
    expect(module.exports.variant()).toBe(variant === "simd" ? 1 : 0);
  });

  it.each(VECTORS)("gives the published value for %s", (_, bytes, value) => expect(crc32c(module, bytes)).toBe(value));

  it("equals the reference at every short length and every alignment", () => {
    const bytes = noise(80);
    module.arena.scope(() => {
      const buffer = module.arena.alloc(bytes.length);
      module.arena.u8(buffer, bytes.length).set(bytes);
      for (let start = 0; start < 16; start++) {
        for (let end = start; end <= bytes.length; end++) {
          expect(crc32cAt(module, at(buffer, start), end - start)).toBe(reference(bytes.subarray(start, end)));
        }
      }
    });
  });

  it("continues from a seed wherever the bytes are cut", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), (bytes, cut) => {
        const whole = reference(bytes);
        expect(crc32c(module, bytes)).toBe(whole);
        expect(crc32c(module, bytes.subarray(cut), crc32c(module, bytes.subarray(0, cut)))).toBe(whole);
      }),
    );
  });

  it("works a buffer longer than its window, and gives the memory back", () => {
    const bytes = noise(3 * 65536 + 5);
    const before = module.arena.top;
    expect(crc32c(module, bytes)).toBe(reference(bytes));
    expect(module.arena.top).toBe(before);
  });
});
