import { describe, expect, it } from "vitest";
import { elementsOf } from "../../src/archive/record.js";
import type { Blocks } from "../../src/codec/blocks.js";
import { encodeRecord } from "../../src/codec/encode.js";
import { blockErrors, errorsOf } from "../../src/codec/errors.js";
import { Part, type PartOptions } from "../../src/codec/part.js";
import { quantize, type Treatment } from "../../src/codec/quantize.js";
import { dividedWork, type EncodedTensor, encodeWork, wholeWork } from "../../src/codec/tensor.js";
import type { FloatDtype } from "../../src/kernel-types.js";
import { engineKernels } from "../../src/kernels/engine-kernels.js";
import type { Tensor } from "../../src/types.js";
import { floats, tensorOf } from "../archive/craft.js";
import { expectSame } from "../kernels/all.js";
import { Random } from "../random.js";
import { blocksOf } from "./tensors.js";

// A tensor of several blocks may be worked on in parts, here and there, and what is left of its blocks held or not: none of it shows.

const kernels = engineKernels();
const random = new Random(77);
const COUNT = 3 * 2 ** 20 + 4321;
const WEIGHTS = random.weights(COUNT);

/** The block lends one buffer for all reads, as a file does. */
function lending(tensor: Tensor): Blocks {
  const blocks = blocksOf(tensor);
  const lent = new Uint8Array(2 ** 20 * blocks.elementBytes);
  return {
    ...blocks,
    async read(index) {
      const block = await blocks.read(index);
      lent.fill(0xa5);
      lent.set(block);
      return lent.subarray(0, block.length);
    },
  };
}

async function encoded(tensor: Tensor, count: number, treatment: Treatment, options: PartOptions = {}): Promise<EncodedTensor> {
  const parts = Array.from(
    { length: count },
    (_, first) => new Part(kernels, tensor.dtype, lending(tensor), { ...options, first, step: count }),
  );
  const pieces: Uint8Array[] = [];
  const work = dividedWork(tensor, parts, async (piece) => void pieces.push(piece));
  return { ...(await encodeWork(kernels, tensor.dtype, work, treatment)), pieces };
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(pieces));
}

function expectAlike(a: EncodedTensor, b: EncodedTensor, title: string): void {
  expectSame(joined(a.pieces), joined(b.pieces), title);
  expect({ ...a, pieces: [] }, title).toEqual({ ...b, pieces: [] });
}

function halfs(dtype: FloatDtype): Tensor {
  return tensorOf(dtype, dtype, [COUNT], kernels.fromFloat32(WEIGHTS, dtype));
}

const TREATMENTS: Readonly<Record<string, Treatment>> = {
  "exact treatment": {},
  "a threshold": { prune: { threshold: 0.1 } },
  "a quality factor, and sharing": { prune: { quality: 1.2 }, share: { bits: 5 } },
  "a sparsity, and sharing": { prune: { sparsity: 0.91 }, share: { bits: 4, init: "density" } },
  "sharing alone": { share: { centroids: 52, maxIterations: 3 } },
  "everything pruned, and sharing": { prune: { threshold: 1e9 }, share: { bits: 3 } },
};

const TENSORS: readonly Tensor[] = [
  floats("F32", [COUNT], WEIGHTS),
  floats(
    "F32, shared",
    [COUNT],
    WEIGHTS.map((weight) => (Math.abs(weight) < 0.1 ? 0 : Math.round(weight * 20) / 20)),
  ),
  halfs("BF16"),
  halfs("F64"),
];

describe.each(TENSORS.map((tensor) => ({ name: tensor.name, tensor })))("a tensor of several blocks, $name,", ({ tensor }) => {
  it.each(Object.entries(TREATMENTS))("comes to the same record in parts, with %s", async (_, treatment) => {
    const whole = await encoded(tensor, 1, treatment);
    expectAlike(await encoded(tensor, 2, treatment), whole, "in two parts");
    expectAlike(await encoded(tensor, 5, treatment), whole, "in five, one of them empty");
    expectAlike(await encoded(tensor, 1, treatment, { budget: { left: 0 } }), whole, "with nothing held");
    expectAlike(await encoded(tensor, 2, treatment, { budget: { left: 3_000_000 } }), whole, "with some of it held");
  });

  it("gives back all that it held", async () => {
    const budget = { left: 2 ** 25 };
    await encoded(tensor, 2, { prune: { quality: 1 }, share: { bits: 5 } }, { budget });
    expect(budget.left).toBe(2 ** 25);
  });
});

it("a tensor that changes between two readings is not written", async () => {
  const changing = floats("F32", [COUNT], WEIGHTS);
  const blocks = blocksOf(changing);
  let readings = 0;
  const read = async (index: number): Promise<Uint8Array> => {
    const block = (await blocks.read(index)).slice();
    if (++readings > blocks.count) block[0] ^= 1;
    return block;
  };
  const part = new Part(kernels, "F32", { ...blocks, read }, { budget: { left: 0 } });
  const work = dividedWork(changing, [part]);
  await expect(encodeWork(kernels, "F32", work, { prune: { threshold: 1e-9 }, share: { bits: 4 } })).rejects.toThrow(/changed/);
});

it("the gaps of a block whose survivors all come first are held against the budget", async () => {
  const count = 2 * 2 ** 20;
  const values = Float32Array.from({ length: count }, (_, i) => (i % 2 ** 20 < 2 ** 19 ? 1 + (i % 300) : 0));
  const budget = { left: 2 ** 30 };
  const part = new Part(kernels, "F32", blocksOf(floats("heads", [count], values)), { budget });
  await part.sift(0, false);
  expect(2 ** 30 - budget.left).toBe(2 * 2 ** 19 * 8);
});

describe("what is counted while weights are shared", () => {
  it.each(["F32", "F16", "BF16"] as const)("is what counting the shared tensor finds, of %s", async (dtype) => {
    const count = 2 ** 16 + 999;
    const tensor = tensorOf("w", dtype, [count], kernels.fromFloat32(WEIGHTS.subarray(0, count), dtype));
    for (const treatment of [TREATMENTS["a quality factor, and sharing"], TREATMENTS["sharing alone"]]) {
      const part = new Part(kernels, dtype, blocksOf(tensor));
      const work = wholeWork(tensor, part);
      const { shared, error, exact } = await quantize(kernels, dtype, work, treatment);
      expect(shared).toBeDefined();
      const record = await encodeRecord(kernels, dtype, work, { exact, contexts: "none" }, shared);
      const after = { ...tensor, data: (await part.dense(0)).slice() };
      const again = await encodeRecord(kernels, dtype, wholeWork(after, new Part(kernels, dtype, blocksOf(after))), {
        exact,
        contexts: "none",
      });
      expectSame(joined(record.pieces), joined(again.pieces));
      expect(record.stats).toEqual(again.stats);
      const { maxAbs, rmse, snr } = errorsOf(dtype, [blockErrors(kernels, dtype, tensor.data, after.data)]);
      expect(error).toEqual({ maxAbs, rmse, snr });
    }
  });

  it("is left to the elements where a centroid is zero", async () => {
    const count = 2 ** 16 + 4;
    // Two heaps, one around zero: its centroid is exactly that.
    const values = Float32Array.from({ length: count }, (_, i) => [-1e-3, 1e-3, 1, 1][i & 3]);
    const tensor = floats("heaps", [count], values);
    const work = wholeWork(tensor, new Part(kernels, "F32", blocksOf(tensor)));
    const { shared, exact } = await quantize(kernels, "F32", work, { share: { bits: 1 } });
    expect({ shared, exact }).toEqual({ shared: undefined, exact: false });
    const { stats } = await encodeRecord(kernels, "F32", work, { exact, contexts: "none" });
    expect(stats.survivors).toBe(Math.floor(count / 2));
  });

  it("finds a tensor exact that pruning and sharing leave as it is", async () => {
    const table = [0, 0, 0, 0.25, -0.5, 0.75];
    const values = Float32Array.from({ length: 2 ** 16 + 1 }, () => table[random.below(6)]);
    const tensor = floats("few", [values.length], values);
    const part = new Part(kernels, "F32", blocksOf(tensor));
    const encodedTensor = await encodeWork(kernels, "F32", wholeWork(tensor, part), { prune: { threshold: 0.1 }, share: { bits: 2 } });
    expect([encodedTensor.exact, encodedTensor.error]).toEqual([true, undefined]);
    expect(elementsOf(tensor).elements).toBe(encodedTensor.stats.weights);
  });
});
