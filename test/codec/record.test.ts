import { describe, expect, it } from "vitest";
import { ByteReader } from "../../src/archive/bytes.js";
import { elementsOf, readRecordHead } from "../../src/archive/record.js";
import { CHECKSUM_BYTES } from "../../src/archive/sizes.js";
import type { Blocks } from "../../src/codec/blocks.js";
import { recordStats } from "../../src/codec/stats.js";
import type { Coding } from "../../src/kernel-types.js";
import { DTYPES, type Dtype, dtypeBits, type Tensor } from "../../src/types.js";
import { floats, tensorOf } from "../archive/craft.js";
import { decoders, encoders, expectSame } from "../kernels/all.js";
import { Random } from "../random.js";
import { blocksOf, decodedOf, EXACT, FILLINGS, filled, recordOf, SHAPES } from "./tensors.js";

const loadedEncoders = encoders.map(({ name, kernels }) => ({ name, kernels: kernels() }));
const loadedDecoders = decoders.map(({ name, kernels }) => ({ name, kernels: kernels() }));
const simd = loadedEncoders[2].kernels;

/** Shapes of a dtype that fill whole bytes. */
function shapesOf(dtype: Dtype): readonly (readonly number[])[] {
  if (dtypeBits(dtype) >= 8) return SHAPES;
  return SHAPES.filter((shape) => shape.length > 0).map(([first, ...rest]) => [8 * first, ...rest]);
}

async function* only(block: Uint8Array): AsyncGenerator<Uint8Array> {
  yield block;
}

describe.each(DTYPES.map((dtype) => ({ dtype })))("records of $dtype", ({ dtype }) => {
  const random = new Random(100 + DTYPES.indexOf(dtype));
  const tensors = FILLINGS.flatMap((filling) =>
    shapesOf(dtype).map((shape) => tensorOf(`${filling} [${shape}]`, dtype, shape, filled(random, dtype, shape, filling))),
  );

  it("come back bit for bit, take 16 bytes more than the tensor at the most, and are counted alike by encoder and inspection", async () => {
    for (const tensor of tensors) {
      const { bytes, encoded } = await recordOf(simd, tensor);
      expectSame(decodedOf(simd, tensor, bytes), tensor.data, tensor.name);
      expect(bytes.length, tensor.name).toBe(encoded.byteLength);
      expect(bytes.length, tensor.name).toBeLessThanOrEqual(tensor.data.length + 16);
      const reader = new ByteReader(bytes);
      const plan = readRecordHead(reader, tensor, bytes.length);
      expect(plan.exact).toBe(true);
      const body = bytes.length - reader.position - CHECKSUM_BYTES;
      expect(await recordStats(simd, dtype, plan, body, only(tensor.data)), tensor.name).toEqual(encoded.stats);
    }
  });

  it("are the same from all kernels, and decode the same with all", async () => {
    for (const tensor of tensors.filter((_, i) => i % 3 === DTYPES.indexOf(dtype) % 3)) {
      const { bytes } = await recordOf(simd, tensor);
      for (const { name, kernels } of loadedEncoders) expectSame((await recordOf(kernels, tensor)).bytes, bytes, `${tensor.name}, ${name}`);
      for (const { name, kernels } of loadedDecoders) expectSame(decodedOf(kernels, tensor, bytes), tensor.data, `${tensor.name}, ${name}`);
    }
  });
});

describe("the coding", () => {
  const random = new Random(7);
  const codingOf = async (tensor: Tensor, contexts: "none" | "all" = "none"): Promise<Coding> =>
    (await recordOf(simd, tensor, { ...EXACT, contexts })).encoded.stats.coding;

  it("is raw for noise and for nothing", async () => {
    expect(await codingOf(tensorOf("n", "U8", [1000], random.bytes(1000)))).toBe("raw");
    expect(await codingOf(tensorOf("n", "F32", [0], new Uint8Array(0)))).toBe("raw");
  });

  it("is bytes where some byte planes have a pattern", async () => {
    expect(await codingOf(floats("w", [5000], random.weights(5000)))).toBe("bytes");
  });

  it("is dense for few different elements, sparse where most are zero", async () => {
    const some = Float32Array.from({ length: 4000 }, () => Math.fround(0.1 * (1 + random.below(20))));
    expect(await codingOf(floats("d", [4000], some))).toBe("dense");
    expect(await codingOf(floats("s", [4000], random.sparse(4000, 0.05)))).toBe("sparse");
  });

  it("is the head alone for zeros, of up to a block", async () => {
    for (const count of [1, 1000, 1 << 20]) {
      const { bytes, encoded } = await recordOf(simd, tensorOf("z", "U8", [count], new Uint8Array(count)));
      expect([bytes.length, encoded.stats.coding, encoded.stats.survivors]).toEqual([5, "sparse", 0]);
    }
  });

  it("is context where that is asked for and smaller", async () => {
    const rows = Uint8Array.from({ length: 64 * 100 }, (_, i) => (Math.floor(i / 100) % 2 === 0 ? 0 : random.below(3)));
    const tensor = tensorOf("c", "U8", [64, 100], rows);
    expect(await codingOf(tensor, "all")).toBe("context");
    const { bytes } = await recordOf(simd, tensor, { ...EXACT, contexts: "all" });
    expect(bytes.length).toBeLessThan((await recordOf(simd, tensor, { ...EXACT, contexts: "none" })).bytes.length);
    for (const { name, kernels } of loadedEncoders) {
      expectSame((await recordOf(kernels, tensor, { ...EXACT, contexts: "all" })).bytes, bytes, name);
    }
    for (const { name, kernels } of loadedDecoders) expectSame(decodedOf(kernels, tensor, bytes), tensor.data, name);
  });

  it("is not context where the stream would be too short for its elements to be decoded", async () => {
    const stripes = (rows: number): Tensor =>
      tensorOf(
        "c",
        "U8",
        [rows, 512],
        Uint8Array.from({ length: 512 * rows }, (_, i) => [1, 0, 1, 1, 0, 0][(i % 512) % 6]),
      );
    expect(await codingOf(stripes(16), "all")).toBe("context");
    const tensor = stripes(512);
    const { bytes, encoded } = await recordOf(simd, tensor, { ...EXACT, contexts: "all" });
    expect(encoded.stats.coding).not.toBe("context");
    for (const { name, kernels } of loadedDecoders) expectSame(decodedOf(kernels, tensor, bytes), tensor.data, name);
  });

  it("walks in the order in which the gaps are shortest to write", async () => {
    // A few columns are full and the others empty: by columns there is one long gap, by rows many.
    const stripes = new Uint8Array(40 * 40).map((_, i) => (i % 40 < 4 ? 1 + random.below(200) : 0));
    const { encoded } = await recordOf(simd, tensorOf("s", "U8", [40, 40], stripes), { ...EXACT, contexts: "none" });
    expect(["C R K", "column-major"]).toContain(encoded.stats.scan); // the same walk over a matrix
  });

  it("holds float32 weights as float16 in its codebook where each of them is one", async () => {
    const table = Float32Array.from({ length: 100 }, (_, i) => (i - 50) / 64);
    const values = Float32Array.from({ length: 3000 }, () => table[random.below(100)]);
    const half = (await recordOf(simd, floats("h", [3000], values))).bytes.length;
    const single = (
      await recordOf(
        simd,
        floats(
          "f",
          [3000],
          values.map((value) => (value === 0.25 ? 0.1 : value)),
        ),
      )
    ).bytes.length;
    expect(single - half).toBeGreaterThan(50);
  });
});

describe("a tensor of several blocks", () => {
  const count = (1 << 20) + 1234;

  it.each([
    { name: "sparse and shared", dtype: "F32", density: 0.01, different: 16 },
    { name: "sparse", dtype: "F16", density: 0.02, different: 1 << 16 },
    { name: "dense", dtype: "I8", density: 0.9, different: 3 },
    { name: "zeros", dtype: "U16", density: 0, different: 1 },
    { name: "noise", dtype: "U8", density: 1, different: 256 },
  ] as const)("of $name comes back, the same from both modules", async ({ dtype, density, different }) => {
    const random = new Random(count);
    const { elementBytes } = elementsOf({ name: "", dtype, shape: [count] });
    const data = new Uint8Array(count * elementBytes);
    for (let i = 0; i < count; i++) {
      if (!random.chance(density)) continue;
      const code = random.below(different);
      data[i * elementBytes + elementBytes - 1] = code & 255;
      if (elementBytes > 1) data[i * elementBytes] = code >> 8;
    }
    const tensor = tensorOf("large", dtype, [count], data);
    const { bytes, encoded } = await recordOf(simd, tensor);
    expect(bytes.length).toBeLessThanOrEqual(data.length + 16 + 2 * 8);
    expectSame(decodedOf(simd, tensor, bytes), data);
    expectSame((await recordOf(loadedEncoders[1].kernels, tensor)).bytes, bytes, "scalar");
    expectSame(decodedOf(loadedEncoders[0].kernels, tensor, bytes), data, "decoded by the reference");
    const reader = new ByteReader(bytes);
    const plan = readRecordHead(reader, tensor, bytes.length);
    const blocks = blocksOf(tensor);
    const found = await recordStats(simd, dtype, plan, 0, inOrder(blocks));
    expect(found).toEqual(encoded.stats);
    expect(encoded.stats.stored).toBe(countStored(data, elementBytes));
  });
});

async function* inOrder(blocks: Blocks): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < blocks.count; i++) yield blocks.read(i);
}

function countStored(data: Uint8Array, elementBytes: number): number {
  let count = 0;
  for (let at = 0; at < data.length; at += elementBytes) if (data.subarray(at, at + elementBytes).some((byte) => byte !== 0)) count++;
  return count;
}
