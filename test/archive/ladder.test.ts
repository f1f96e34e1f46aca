import { describe, expect, it } from "vitest";
import { inspect } from "../../src/index.js";
import { cores } from "../cores.js";
import { expectSame } from "../kernels/all.js";
import { archiveOf, sealed } from "./craft.js";
import { codeOf, outcomeOf, summary } from "./outcome.js";
import { reseal } from "./reseal.js";
import { SAMPLES } from "./samples.js";

// Whole archives and what becomes of them when they are damaged, with every decoder.

const samples = [...SAMPLES].map(([name, { archive, tensors }]) => ({ name, archive, tensors }));

describe.each(samples)("an archive with $name", ({ archive, tensors }) => {
  it.each(cores)("decodes with the $name", ({ core }) => {
    const { error, tensors: decoded } = outcomeOf(core, archive);
    expect(error).toBeUndefined();
    expect(decoded.map(({ name, dtype, shape }) => ({ name, dtype, shape }))).toEqual(
      tensors.map(({ name, dtype, shape }) => ({ name, dtype, shape })),
    );
    for (const [i, tensor] of tensors.entries()) expectSame(decoded[i].data, tensor.data, tensor.name);
  });

  it.each(cores)("is refused as TRUNCATED by the $name, however much is missing", ({ core }) => {
    for (let length = 0; length < archive.length; length++) {
      expect(codeOf(core, archive.subarray(0, length)), `${length} of ${archive.length} bytes`).toBe("TRUNCATED");
    }
  });

  it.each(cores)("is refused as TRAILING by the $name with a byte more", ({ core }) => {
    for (const byte of [0, 255]) {
      const { error } = outcomeOf(core, Uint8Array.of(...archive, byte));
      expect(error).toMatchObject({ code: "TRAILING", offset: archive.length });
    }
  });

  it("is refused by all with any bit flipped", () => {
    forEachFlip(archive, (flipped, bit) => {
      for (const { name, core } of cores) expect(codeOf(core, flipped), `bit ${bit}, ${name}`).toBeDefined();
    });
  });

  it("is refused or decoded alike by all with any bit flipped and the checksums put right", () => {
    forEachFlip(archive, (flipped, bit) => {
      const resealed = reseal(flipped.slice());
      const outcomes = cores.map(({ core }) => outcomeOf(core, resealed));
      const [first] = outcomes;
      if (first.error) expect(first.error.offset).toBeLessThanOrEqual(archive.length);
      for (const [i, outcome] of outcomes.entries()) expect(summary(outcome), `bit ${bit}, ${cores[i].name}`).toBe(summary(first));
      // The builds of the engine share all but the kernels: they also name the same fault.
      const named = outcomes.filter((_, i) => cores[i].name.startsWith("engine")).map(({ error }) => error?.message);
      expect(new Set(named).size, `bit ${bit}: ${named}`).toBe(1);
    });
  });
});

function forEachFlip(archive: Uint8Array, work: (flipped: Uint8Array, bit: number) => void): void {
  const flipped = archive.slice();
  for (let bit = 0; bit < 8 * archive.length; bit++) {
    flipped[bit >>> 3] ^= 1 << (bit & 7);
    work(flipped, bit);
    flipped[bit >>> 3] ^= 1 << (bit & 7);
  }
}

it("a resealed archive that was whole is itself", () => {
  for (const { name, archive } of samples) expectSame(reseal(archive.slice()), archive, name);
});

it("the samples are small", () => {
  for (const { name, archive } of samples) expect(archive.length, name).toBeLessThan(500);
});

describe("a tensor without elements, however long its other axes,", () => {
  // Dense, sparse and context, a listed codebook of the one centroid 9, codes and gap symbols of way 1.
  const heads = { dense: [2, 0, 0, 9, 1, 0], sparse: [3, 0, 3, 0, 9, 1, 4, 0, 0, 0], context: [4, 0, 0, 9] };

  it.each(Object.entries(heads))("is decoded and inspected at once, %s", async (_, [head, ...rest]) => {
    const started = performance.now();
    for (const shape of [
      [2 ** 40, 0],
      [0, 2 ** 31, 2 ** 20],
      [2 ** 20, 0, 2 ** 32],
      [2 ** 26, 2 ** 26, 0],
    ]) {
      for (let scan = 0; scan < 6; scan++) {
        const record = sealed(Uint8Array.of(head | (scan << 3), ...rest));
        const archive = archiveOf([{ name: "w", dtype: "U8", shape, record }]);
        for (const { name, core } of cores) expect(outcomeOf(core, archive).error, `${shape}, scan ${scan}, ${name}`).toBeUndefined();
        expect((await inspect(archive)).tensors[0].weights).toBe(0);
      }
    }
    expect(performance.now() - started).toBeLessThan(2000);
  });
});
