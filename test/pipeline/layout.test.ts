import { describe, expect, it } from "vitest";
import { blockByteLength } from "../../src/decode/record.js";
import type { Source } from "../../src/index.js";
import { engineKernels } from "../../src/kernels/engine-kernels.js";
import { decodePlanned, openArchive, type PlannedArchive, type PlannedBlock } from "../../src/pipeline/archive.js";
import { archiveOf, craftArchive, craftRecord, tensorOf } from "../archive/craft.js";
import { refused, refusedLater } from "../archive/refused.js";
import { SAMPLES } from "../archive/samples.js";
import { expectSame } from "../kernels/all.js";
import { Random } from "../random.js";

function sourceOf(bytes: Uint8Array, reads: number[] = []): Source {
  const read = async (offset: number, byteLength: number): Promise<Uint8Array> => {
    reads.push(byteLength);
    return bytes.slice(offset, offset + byteLength);
  };
  return { byteLength: bytes.length, read, close: async () => undefined };
}

const open = (source: Source): Promise<PlannedArchive> => openArchive(source, engineKernels());
const MANY = tensorOf("many", "U8", [3000], new Random(3).symbols(3000, 4, 0.7));

describe("the blocks of a record", () => {
  it.each([...SAMPLES.keys()])("of %s are decoded one by one, the last first", async (name) => {
    const { archive: bytes, tensors } = SAMPLES.get(name) ?? { archive: new Uint8Array(0), tensors: [] };
    const archive = await open(sourceOf(bytes));
    for (const [i, entry] of archive.header.tensors.entries()) {
      const out = new Uint8Array(entry.byteLength).fill(0xa5);
      const found = [];
      for await (const block of archive.layout(entry)) found.push(block);
      for (const block of structuredClone(found).reverse()) {
        const { plan, span } = block;
        const start = span.index * blockByteLength(plan, 0);
        const bytes = await archive.bytes(span.offset, span.byteLength);
        decodePlanned(archive.core, block, bytes, out.subarray(start, start + blockByteLength(plan, span.index)));
      }
      expectSame(out, tensors[i].data);
    }
  });

  it("are found without reading them", async () => {
    const reads: number[] = [];
    const archive = await open(sourceOf(craftArchive([{ ...MANY, coding: "dense", blockLog: 9 }]), reads));
    reads.length = 0;
    const found = [];
    for await (const block of archive.layout(archive.header.tensors[0])) found.push(block);
    expect(found.map(({ span }) => span.index)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(found.map(({ plan, span }) => blockByteLength(plan, span.index))).toEqual([512, 512, 512, 512, 512, 440]);
    expect(reads.slice(1).every((byteLength) => byteLength <= 8)).toBe(true);
  });

  it("are refused one by one", async () => {
    const bytes = craftArchive([{ ...MANY, coding: "dense", blockLog: 9 }]);
    const archive = await open(sourceOf(bytes));
    const [entry] = archive.header.tensors;
    for await (const { plan, span } of archive.layout(entry)) {
      const block = bytes.slice(span.offset, span.offset + span.byteLength);
      const out = new Uint8Array(blockByteLength(plan, span.index)).fill(0xa5);
      const decode = (part: Uint8Array, at = span) => decodePlanned(archive.core, { plan, span: at }, part, out);
      for (let length = 0; length < block.length; length++) refused(() => decode(block.subarray(0, length)), "TRUNCATED");
      refused(() => decode(block, { ...span, seedCrc: span.seedCrc ^ 1 }), "CHECKSUM");
      block[1] ^= 1;
      refused(() => decode(block), "CHECKSUM");
      expect(
        out.every((byte) => byte === 0xa5),
        "nothing is written before the checksum was right",
      ).toBe(true);
    }
  });

  it("that end before their record does are refused after the last", async () => {
    const record = craftRecord({ ...MANY, coding: "dense", blockLog: 9 });
    const bytes = archiveOf([{ name: "t", dtype: "U8", shape: [3000], record: Uint8Array.of(...record, 0, 0) }]);
    const archive = await open(sourceOf(bytes));
    const found: PlannedBlock[] = [];
    const all = async (): Promise<void> => {
      for await (const block of archive.layout(archive.header.tensors[0])) found.push(block);
    };
    await refusedLater(all(), "TRAILING");
    expect(found.length).toBe(6);
  });
});
