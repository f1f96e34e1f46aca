import { describe, expect, it } from "vitest";
import { FormatError } from "../../src/errors.js";
import type { DecodeKernels } from "../../src/kernel-types.js";
import { at } from "../../src/kernels/arena.js";
import { referenceKernels } from "../../src/reference/index.js";
import { Random } from "../random.js";
import { engines } from "../variants.js";
import { decoders, encoders, expectSame } from "./all.js";
import { type Built, codingFor, denseBlock } from "./blocks.js";

/** Symbols from which the kernels look up several at a time. */
const MANY = 1 << 15;

function identity(alphabet: number): Uint8Array {
  return Uint8Array.from({ length: alphabet }, (_, i) => i);
}

function fourStreams(symbols: Uint8Array, alphabet: number): Built {
  return denseBlock(referenceKernels, symbols, identity(alphabet), 1, 3);
}

/** What comes of a block: its elements, or the error's code. */
function outcome(kernels: DecodeKernels, { plan }: Built, block: Uint8Array): Uint8Array | string {
  const out = new Uint8Array(plan.elements);
  try {
    kernels.decodeBlock(plan, block, 0, out);
  } catch (error) {
    if (error instanceof FormatError) return error.code;
    throw error;
  }
  return out;
}

function expectOutcome(kernels: DecodeKernels, built: Built, block: Uint8Array, context: string): void {
  const expected = outcome(referenceKernels, built, block);
  const actual = outcome(kernels, built, block);
  if (typeof expected === "string" || typeof actual === "string") expect(actual, context).toEqual(expected);
  else expectSame(actual, expected, context);
}

describe.each(decoders)("four long streams on $name", ({ kernels: load }) => {
  const kernels = load();

  it.each([2, 3, 5, 33, 64, 256])("%i symbols in the alphabet, from short codes to long ones", (alphabet) => {
    const random = new Random(alphabet);
    for (const ratio of [0.2, 0.6, 0.85, 0.95, 0.99]) {
      const symbols = random.symbols(MANY + 64, alphabet, ratio);
      for (const count of [MANY - 1, MANY, MANY + 1, MANY + 2, MANY + 3, MANY + 31, MANY + 32, MANY + 45, MANY + 63, MANY + 64]) {
        const some = symbols.slice(0, count);
        const { plan, block } = fourStreams(some, alphabet);
        const out = new Uint8Array(count);
        kernels.decodeBlock(plan, block, 0, out);
        expectSame(out, some, `${count} of ${alphabet}, ratio ${ratio}`);
      }
    }
  });

  it("streams that are far from even: one has all the long codes", () => {
    const random = new Random(4);
    for (let long = 0; long < 4; long++) {
      const symbols = Uint8Array.from({ length: MANY + 7 }, (_, i) => (i % 4 === long ? random.below(64) : 0));
      const { plan, block } = fourStreams(symbols, 64);
      const out = new Uint8Array(symbols.length);
      kernels.decodeBlock(plan, block, 0, out);
      expectSame(out, symbols, `stream ${long}`);
    }
  });

  it("streams that are cut off, go on, or hold something else are refused as by the reference", () => {
    const random = new Random(5);
    const built = fourStreams(random.symbols(MANY + 5, 40, 0.85), 40);
    const { block } = built;
    for (let i = 0; i < 40; i++) {
      const changed = block.slice();
      changed[random.below(block.length)] ^= 1 << random.below(8);
      expectOutcome(kernels, built, changed, `change ${i}`);
    }
    // The lengths of the streams are varints of two bytes or three.
    for (let at = 0; at < 12; at++) {
      const changed = block.slice();
      changed[at] ^= 1;
      expectOutcome(kernels, built, changed, `length, byte ${at}`);
    }
    for (const length of [0, 3, 12, 100, block.length >> 1, block.length - 100, block.length - 1]) {
      expectOutcome(kernels, built, block.slice(0, length), `${length} bytes`);
    }
  });

  it("streams of ones and of zeros", () => {
    const built = fourStreams(new Random(6).symbols(MANY, 64, 0.9), 64);
    for (const byte of [0, 0xff]) {
      const changed = built.block.slice();
      changed.fill(byte, 16);
      expectOutcome(kernels, built, changed, `${byte}`);
    }
  });
});

describe.each(engines)("four long streams of a stranger on $name", ({ load }) => {
  it("write nothing but symbols and scratch, whatever they hold and wherever they are cut", () => {
    const { arena, exports } = load();
    const random = new Random(7);
    for (let round = 0; round < 60; round++) {
      const alphabet = 2 + random.below(255);
      const { lengths } = codingFor(random.symbols(500, alphabet, 0.5 + random.unit() / 2), alphabet, 3);
      const count = MANY + random.below(64);
      const byteLength = random.below(3 * (count >> 2) + 1);
      const bytes = random.chance(0.5) ? random.bytes(byteLength) : new Uint8Array(byteLength).fill(random.below(2) * 255);
      const [a, b, c] = Array.from({ length: 3 }, () => random.below(byteLength + 1)).sort((one, other) => one - other);
      arena.scope(() => {
        const codeLengths = arena.alloc(alphabet);
        const table = arena.alloc(16384);
        const input = at(arena.alloc(16 + byteLength + 3 * count + 64), 16);
        // Each with 64 bytes before it and behind it that are to stay.
        const out = at(arena.alloc(count + 128), 64);
        const runs = at(arena.alloc(count + 64 + 128), 64);
        arena.u8(codeLengths, alphabet).set(lengths);
        arena.u8(input, byteLength).set(bytes);
        const guards = [at(out, -64), at(out, count), at(runs, -64), at(runs, count + 64)].map((guard) => arena.u8(guard, 64).fill(0xa5));
        exports.decodeTable(codeLengths, alphabet, Math.max(...lengths), table);
        const before = arena.u8(table, input + byteLength - table).slice();
        const [in1, in2, in3, end] = [a, b, c, byteLength].map((offset) => at(input, offset));
        exports.decodeStreams4(table, Math.max(...lengths), input, in1, in2, in3, end, count, out, runs);
        for (const guard of guards)
          expect(
            guard.every((byte) => byte === 0xa5),
            `round ${round}`,
          ).toBe(true);
        expectSame(arena.u8(table, before.length), before, `round ${round}`);
      });
    }
  });
});

describe.each(encoders.slice(1))("four streams by pairs of symbols on $name", ({ kernels: load }) => {
  const kernels = load();

  it.each([2, 3, 32, 63, 64, 65])("%i symbols in the alphabet, at the number from which pairs are used", (alphabet) => {
    const random = new Random(alphabet);
    for (const ratio of [0.6, 0.95]) {
      const symbols = random.symbols(8 * alphabet ** 2 + 64, alphabet, ratio);
      symbols[0] = alphabet - 1;
      for (const more of [-1, 0, 1, 2, 3, 15, 17, 30, 31, 33, 64]) {
        const some = symbols.slice(0, 8 * alphabet ** 2 + more);
        const coding = codingFor(some, alphabet, 3);
        expectSame(kernels.encodeSymbols(some, coding), referenceKernels.encodeSymbols(some, coding), `${some.length} of ${alphabet}`);
      }
    }
  });

  it("pairs of 24 bits throughout", () => {
    const lengths = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 12);
    for (const symbol of [11, 12]) {
      const symbols = new Uint8Array(8 * 13 ** 2 + 41).fill(symbol);
      const coding = { way: 3, symbol: 0, lengths, alphabet: 13 } as const;
      expectSame(kernels.encodeSymbols(symbols, coding), referenceKernels.encodeSymbols(symbols, coding));
    }
  });
});
