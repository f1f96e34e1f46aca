import { describe, expect, it } from "vitest";
import type { Block, BlockPlace, TensorEntry } from "../../src/decode/index.js";
import { bytesSource } from "../../src/formats/bytes-source.js";
import { archiveOf, craftRecord } from "../archive/craft.js";
import { SAMPLES } from "../archive/samples.js";
import { expectSame } from "../kernels/all.js";
import { ARCHIVE, BLOCKS, LIBRARIES, TENSORS } from "./libraries.js";
import { chunked } from "./streams.js";

/** A buffer for every block, full of something else each time. */
function oneBuffer(): { into: (tensor: TensorEntry, place: BlockPlace) => Uint8Array; places: BlockPlace[] } {
  const buffer = new Uint8Array(2048);
  const places: BlockPlace[] = [];
  const into = (_: TensorEntry, place: BlockPlace): Uint8Array => {
    places.push(place);
    return buffer.fill(0xa5).subarray(3, 3 + place.byteLength);
  };
  return { into, places };
}

describe.each(LIBRARIES)("the blocks that $name gives", ({ library }) => {
  it.each([1, 7, 1000, ARCHIVE.length])("of a stream, in chunks of %i, make the tensors one after another", async (size) => {
    const parts = TENSORS.map((): Uint8Array[] => []);
    let last = 0;
    for await (const { tensor, index, offset, data } of library.decodeStream(chunked(ARCHIVE, size), { blocks: true })) {
      const i = TENSORS.findIndex(({ name }) => name === tensor.name);
      expect(i, "tensors come in order").toBeGreaterThanOrEqual(last);
      last = i;
      expect(index).toBe(parts[i].length);
      expect(offset).toBe(parts[i].reduce((sum, part) => sum + part.length, 0));
      parts[i].push(data);
    }
    expect(parts.map(({ length }) => length)).toEqual(BLOCKS);
    for (const [i, part] of parts.entries()) expectSame(new Uint8Array(Buffer.concat(part)), TENSORS[i].data, TENSORS[i].name);
  });

  it.each([...SAMPLES.keys()])("of %s are the tensors'", async (name) => {
    const { archive, tensors } = SAMPLES.get(name) ?? { archive: new Uint8Array(0), tensors: [] };
    const found = tensors.map(({ data }) => new Uint8Array(data.length).fill(0xa5));
    for await (const { tensor, offset, data } of library.decodeStream(chunked(archive, 50), { blocks: true }))
      found[tensors.findIndex((one) => one.name === tensor.name)].set(data, offset);
    for (const [i, { data }] of tensors.entries()) expectSame(found[i], data);
  });

  it("fit into one buffer, of a stream and by range", async () => {
    const { into, places } = oneBuffer();
    const found = TENSORS.map(({ data }) => new Uint8Array(data.length).fill(0xff));
    const put = ({ tensor, offset, data }: Pick<Block, "tensor" | "offset" | "data">): void =>
      found[TENSORS.findIndex(({ name }) => name === tensor.name)].set(data, offset);
    for await (const block of library.decodeStream(chunked(ARCHIVE, 100), { blocks: true, into })) put(block);
    for (const [i, { data }] of TENSORS.entries()) expectSame(found[i], data);
    const streamed = places.splice(0);
    expect(streamed.slice(0, 7)).toEqual([
      ...[0, 1, 2, 3, 4, 5].map((index) => ({ index, offset: 512 * index, byteLength: index < 5 ? 512 : 440 })),
      { index: 0, offset: 0, byteLength: 0 },
    ]);

    for (const bytes of found) bytes.fill(0xff);
    const archive = await library.open(bytesSource(ARCHIVE));
    for (const tensor of archive.header.tensors) {
      let offset = 0;
      for await (const data of archive.blocks(tensor, { into })) {
        put({ tensor, offset, data });
        offset += data.length;
      }
    }
    for (const [i, { data }] of TENSORS.entries()) expectSame(found[i], data);
    expect(places).toEqual(streamed);
  });

  it("stand in what into gave itself", async () => {
    const given = Buffer.alloc(512, 0xa5);
    const blocks = library.decodeStream(chunked(ARCHIVE, 100), { blocks: true, into: () => given });
    const { value } = await blocks.next();
    expect((value as Block).data).toBe(given);
    await blocks.return();
  });

  it("are refused a buffer of another length or type: the caller's mistake", async () => {
    const first = (into: () => unknown) => library.decodeStream(chunked(ARCHIVE, 100), { blocks: true, into: into as never }).next();
    for (const byteLength of [511, 513]) {
      await expect(first(() => new Uint8Array(byteLength))).rejects.toThrow(RangeError);
      await expect(first(() => new Uint8Array(byteLength))).rejects.toThrow(/what into gives for "dense" must have 512 bytes/);
    }
    for (const wrong of [undefined, null, new Float32Array(128)]) await expect(first(() => wrong)).rejects.toThrow(TypeError);
  });

  it("come before what is at fault behind them", async () => {
    const { tensors } = library.readHeader(ARCHIVE);
    const broken = ARCHIVE.slice();
    broken[tensors[0].recordOffset + tensors[0].recordByteLength - 1] ^= 1; // the last checksum of six
    const found: number[] = [];
    const all = async (): Promise<void> => {
      for await (const { index } of library.decodeStream(chunked(broken, 10), { blocks: true })) found.push(index);
    };
    await expect(all()).rejects.toMatchObject({ name: "FormatError", code: "CHECKSUM" });
    expect(found).toEqual([0, 1, 2, 3, 4]);
  });

  it("are followed by TRAILING where the record goes on", async () => {
    const { shape, dtype } = TENSORS[0];
    const record = Uint8Array.of(...craftRecord(TENSORS[0]), 0);
    const longer = archiveOf([{ name: "dense", dtype, shape, record }]);
    let found = 0;
    const all = async (): Promise<void> => {
      for await (const _ of library.decodeStream(chunked(longer, 10), { blocks: true })) found++;
    };
    await expect(all()).rejects.toMatchObject({ code: "TRAILING", offset: longer.length - 1 });
    expect(found).toBe(6);
    expect(() => library.decode(longer)).toThrow(expect.objectContaining({ code: "TRAILING" }));
  });
});
