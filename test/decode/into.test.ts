import { describe, expect, it } from "vitest";
import { decodeWith } from "../../src/decode/decode.js";
import { decode, decodeStream, open, type Tensor, type TensorEntry } from "../../src/index.js";
import { SAMPLES } from "../archive/samples.js";
import { cores } from "../cores.js";
import { expectSame } from "../kernels/all.js";
import { chunked } from "./streams.js";

/** Buffers full of something else, in the middle of larger ones, and whether what stands around them is as it was. */
function lender(misalign: number) {
  const pools = new Map<string, Uint8Array>();
  const into = ({ name, byteLength }: TensorEntry): Uint8Array => {
    const pool = new Uint8Array(byteLength + 32).fill(0xa5);
    pools.set(name, pool);
    return pool.subarray(8 + misalign, 8 + misalign + byteLength);
  };
  const intact = (): boolean =>
    [...pools.values()].every((pool) =>
      [...pool.subarray(0, 8 + misalign), ...pool.subarray(misalign - 24)].every((byte) => byte === 0xa5),
    );
  return { into, intact };
}

function expectTensors(actual: readonly Tensor[], expected: readonly Tensor[]): void {
  expect(actual.map(({ name }) => name)).toEqual(expected.map(({ name }) => name));
  for (const [i, { data, name }] of expected.entries()) expectSame(actual[i].data, data, name);
}

describe("a buffer of the caller's", () => {
  it.each([...SAMPLES.keys()])("takes the tensors of %s, whatever it held", async (name) => {
    const { archive, tensors } = SAMPLES.get(name) ?? { archive: new Uint8Array(0), tensors: [] };
    for (const misalign of [0, 1, 2, 4]) {
      for (const { core } of cores) {
        const { into, intact } = lender(misalign);
        expectTensors(decodeWith(core, archive, { into }), tensors);
        expect(intact()).toBe(true);
      }
      const { into, intact } = lender(misalign);
      const streamed: Tensor[] = [];
      for await (const tensor of decodeStream(chunked(archive, 7), { into })) streamed.push(tensor);
      expectTensors(streamed, tensors);
      const read = async (offset: number, byteLength: number) => archive.slice(offset, offset + byteLength);
      const opened = await open({ byteLength: archive.length, read, close: async () => undefined });
      const single: Tensor[] = [];
      for (const entry of opened.header.tensors) single.push(await opened.tensor(entry, { into }));
      expectTensors(single, tensors);
      expect(intact()).toBe(true);
    }
  });

  const { archive } = SAMPLES.get("fillers") ?? { archive: new Uint8Array(0) };

  it("is what the tensor has as data", () => {
    const lent: Uint8Array[] = [];
    const [{ data }] = decode(archive, {
      into: ({ byteLength }) => {
        lent.push(Buffer.alloc(byteLength));
        return lent[0];
      },
    });
    expect(data).toBe(lent[0]);
  });

  it("of the wrong length or type is the caller's mistake", async () => {
    for (const more of [-1, 1]) {
      const into = ({ byteLength }: TensorEntry) => new Uint8Array(byteLength + more);
      expect(() => decode(archive, { into })).toThrow(RangeError);
      expect(() => decode(archive, { into })).toThrow(/what into gives for "fillers" must have \d+ bytes/);
      await expect(decodeStream(chunked(archive, 7), { into }).next()).rejects.toThrow(RangeError);
    }
    for (const wrong of [undefined, null, 7, new Float32Array(6), new ArrayBuffer(24)]) {
      expect(() => decode(archive, { into: () => wrong as never })).toThrow(TypeError);
    }
    expect(() => decode(archive, { into: new Uint8Array(24) as never })).toThrow(TypeError);
  });
});
