import { describe, expect, it } from "vitest";
import { decodeWith } from "../../src/decode/decode.js";
import { compress, decode, decodeStream, decompress, open, readHeader, type Tensor } from "../../src/index.js";
import { craftArchive, floats, tensorOf } from "../archive/craft.js";
import { SAMPLES } from "../archive/samples.js";
import { reference } from "../cores.js";
import { expectSame } from "../kernels/all.js";
import { Random } from "../random.js";
import { webStream } from "./streams.js";

// A Buffer of Node is a Uint8Array whose `slice` is a view, most often at an odd place of a buffer that it shares.

/** The bytes in the middle of a larger buffer, at every alignment in turn. */
function buffers(bytes: Uint8Array): Buffer[] {
  return [0, 1, 2, 3, 5, 8].map((offset) => {
    const pool = Buffer.alloc(bytes.length + 16, 0xaa);
    pool.set(bytes, offset);
    return pool.subarray(offset, offset + bytes.length);
  });
}

function expectTensors(actual: readonly Tensor[], expected: readonly Tensor[]): void {
  expect(actual.length).toBe(expected.length);
  for (const [i, { data }] of expected.entries()) expectSame(new Uint8Array(actual[i].data), data);
}

describe("an archive in a Buffer", () => {
  it.each([...SAMPLES.keys()])("with %s decodes as in a Uint8Array", async (name) => {
    const { archive, tensors } = SAMPLES.get(name) ?? { archive: new Uint8Array(0), tensors: [] };
    for (const buffer of buffers(archive)) {
      expectTensors(decode(buffer), tensors);
      expectTensors(decodeWith(reference, buffer), tensors);
      expect(readHeader(buffer).tensors).toEqual(readHeader(archive).tensors);
      const streamed: Tensor[] = [];
      const chunks = [buffer.subarray(0, 20), buffer.subarray(20)];
      for await (const tensor of decodeStream(webStream(chunks))) streamed.push(tensor);
      expectTensors(streamed, tensors);
      const read = async (offset: number, byteLength: number): Promise<Uint8Array> => buffer.subarray(offset, offset + byteLength);
      const opened = await open({ byteLength: buffer.length, read, close: async () => undefined });
      for (const [i, entry] of opened.header.tensors.entries()) expectSame((await opened.tensor(entry)).data, tensors[i].data);
    }
  });

  it("whose source lends the same Buffer for every read is opened", async () => {
    const archive = craftArchive([
      { ...floats("a", [3], [1, 2, 3]), coding: "raw" },
      { ...floats("b", [2], [4, 5]), coding: "raw" },
    ]);
    const lent = Buffer.alloc(8192);
    const read = async (offset: number, byteLength: number): Promise<Uint8Array> => {
      lent.fill(0xee).set(archive.subarray(offset, offset + byteLength));
      return lent.subarray(0, byteLength);
    };
    const opened = await open({ byteLength: archive.length, read, close: async () => undefined });
    const [first, second] = opened.header.tensors;
    expectSame((await opened.tensor(second)).data, floats("", [], [4, 5]).data);
    expectSame((await opened.tensor(first)).data, floats("", [], [1, 2, 3]).data);
    expect(opened.header.shell).toEqual(Uint8Array.of(0));
  });
});

describe("a model in a Buffer", () => {
  const random = new Random(5);
  const tensors = [
    floats("conv", [8, 4, 3, 3], random.weights(288)),
    tensorOf("half", "F16", [16, 16], new Uint8Array(Uint16Array.from({ length: 256 }, () => 0x2c00 + random.below(1000)).buffer)),
    tensorOf("double", "F64", [9, 9], new Uint8Array(Float64Array.from({ length: 81 }, () => random.normal()).buffer)),
  ];

  it.each(["exact", "default", "paper"] as const)("compresses as in a Uint8Array, preset %s", async (preset) => {
    const { archive } = await compress(tensors, { preset });
    const [file] = await decompress(archive);
    const fromFile = await compress(file.bytes, { preset });
    for (let i = 0; i < 6; i++) {
      const inBuffers = tensors.map((tensor) => ({ ...tensor, data: buffers(tensor.data)[i] }));
      expectSame((await compress(inBuffers, { preset })).archive, archive);
      expectSame((await compress(buffers(file.bytes)[i], { preset })).archive, fromFile.archive);
    }
  });
});
