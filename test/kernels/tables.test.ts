import { describe, expect, it } from "vitest";
import { LENGTHS, Random } from "../random.js";
import { encoders, expectSame } from "./all.js";
import { type ElementBytes, WIDTHS } from "./blocks.js";

/** Elements out of a table of `size`, all different. */
function fromTable(random: Random, count: number, width: ElementBytes, size: number): Uint8Array {
  const table = new Map<string, Uint8Array>();
  while (table.size < size) {
    const element = random.bytes(width);
    if (random.chance(0.5)) element.fill(0, 0, width - 1); // alike but for one byte
    table.set(element.join(), element);
  }
  const entries = [...table.values()];
  const elements = new Uint8Array(count * width);
  for (let i = 0; i < count; i++) elements.set(entries[random.below(size)], i * width);
  return elements;
}

function naive(elements: Uint8Array, width: number, known: Uint8Array): { codes: number[]; table: number[] } {
  const table = new Map<string, number>();
  const bytes: number[] = [];
  const codeOf = (element: Uint8Array): number => {
    const key = element.join();
    if (!table.has(key)) {
      table.set(key, table.size);
      bytes.push(...element);
    }
    return table.get(key)!;
  };
  for (let at = 0; at < known.length; at += width) codeOf(known.subarray(at, at + width));
  const codes: number[] = [];
  for (let at = 0; at < elements.length; at += width) codes.push(codeOf(elements.subarray(at, at + width)));
  return { codes, table: bytes };
}

describe.each(encoders)("index on $name", ({ kernels: load }) => {
  const kernels = load();

  it("numbers elements as they appear, after the known ones", () => {
    const found = kernels.index(Uint8Array.of(9, 7, 9, 8, 7), 1, Uint8Array.of(1, 7));
    expect([[...found!.codes], [...found!.table]]).toEqual([
      [2, 1, 2, 3, 1],
      [1, 7, 9, 8],
    ]);
  });

  it("goes by bits: 0, -0 and NaNs are different", () => {
    const bits = Uint32Array.of(0, 0x80000000, 0x7fc00000, 0x7fc00001, 0, 0x7fc00001);
    expect([...kernels.index(new Uint8Array(bits.buffer), 4, new Uint8Array(0))!.codes]).toEqual([0, 1, 2, 3, 0, 3]);
  });

  it.each(LENGTHS)("gives %i elements their codes", (count) => {
    const random = new Random(count + 90);
    for (const width of WIDTHS) {
      for (const size of [1, 2, 33, 200]) {
        const elements = fromTable(random, count, width, size);
        const some = fromTable(random, 20, width, 20);
        const known = Uint8Array.from(naive(some, width, Uint8Array.of()).table);
        for (const before of [Uint8Array.of(), known, known.slice(0, width)]) {
          const found = kernels.index(elements, width, before);
          const expected = naive(elements, width, before);
          expect(found, `${size} of ${width} bytes`).toBeDefined();
          expectSame(found!.codes, Uint8Array.from(expected.codes));
          expectSame(found!.table, Uint8Array.from(expected.table));
        }
      }
    }
  });

  it("takes 256 entries and refuses 257", () => {
    for (const width of [2, 4, 8]) {
      for (const [stride, name] of [
        [1, "low bytes"],
        [2 ** 16, "high bytes"],
      ] as const) {
        if (width === 2 && stride > 1) continue;
        const numbered = (count: number): Uint8Array => {
          const elements = new Uint8Array(count * width);
          const view = new DataView(elements.buffer);
          for (let i = 0; i < count; i++)
            width === 2 ? view.setUint16(2 * i, 300 + i, true) : view.setUint32(width * i + width - 4, (300 + i) * stride, true);
          return elements;
        };
        expect(kernels.index(numbered(256), width, Uint8Array.of())?.table, name).toEqual(numbered(256));
        expect(kernels.index(numbered(257), width, Uint8Array.of()), name).toBeUndefined();
        expect(kernels.index(numbered(256), width, new Uint8Array(width)), name).toBeUndefined();
        expect(kernels.index(numbered(256), width, numbered(256))?.codes, name).toEqual(Uint8Array.from({ length: 256 }, (_, i) => i));
        expect(kernels.index(Uint8Array.of(), width, numbered(256))?.table, name).toEqual(numbered(256));
      }
    }
    const all = Uint8Array.from({ length: 256 }, (_, i) => 255 - i);
    expect(kernels.index(all, 1, Uint8Array.of())?.table).toEqual(all);
  });
});

describe.each(encoders)("bytes on $name", ({ kernels: load }) => {
  const kernels = load();

  it.each(LENGTHS)("are mapped, %i of them", (length) => {
    const random = new Random(length + 91);
    const bytes = random.bytes(length);
    const table = random.bytes(256);
    const before = bytes.slice();
    expectSame(
      kernels.mapBytes(bytes, table),
      Uint8Array.from(before, (byte) => table[byte]),
    );
    expectSame(bytes, before);
  });

  it.each(LENGTHS)("are split into planes, %i elements", (count) => {
    const random = new Random(count + 92);
    for (const width of WIDTHS) {
      const elements = random.bytes(count * width);
      for (let plane = 0; plane < width; plane++) {
        expectSame(
          kernels.splitPlane(elements, width, plane),
          elements.filter((_, at) => at % width === plane),
        );
      }
    }
  });
});
