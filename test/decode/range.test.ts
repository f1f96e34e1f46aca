import { beforeAll, describe, expect, it } from "vitest";
import { open, readHeader } from "../../src/decode/index.js";
import { compress, type Source } from "../../src/index.js";
import { archiveOf, floats } from "../archive/craft.js";
import { expectSame } from "../kernels/all.js";
import { Random } from "../random.js";

const COUNT = 17;
const WEIGHTS = 2 ** 23;
const WANTED = 7;

interface Sparse {
  readonly record: Uint8Array;
  readonly data: Uint8Array;
}

/** A tensor of eight blocks, of which one weight in fifty is a survivor. */
async function sparse(seed: number): Promise<Sparse> {
  const random = new Random(seed);
  const values = new Float32Array(WEIGHTS);
  for (let i = random.below(50); i < WEIGHTS; i += 1 + random.below(99)) values[i] = (1 + random.below(30)) / 8;
  const tensor = { ...floats("w", [2048, WEIGHTS / 2048], []), data: new Uint8Array(values.buffer) };
  const { archive } = await compress([tensor], { preset: "exact", threads: 1 });
  const [{ recordOffset, recordByteLength }] = readHeader(archive).tensors;
  return { record: archive.slice(recordOffset, recordOffset + recordByteLength), data: tensor.data };
}

describe("one tensor of an archive of 500 MB of weights", () => {
  let archive: Uint8Array;
  let wanted: Sparse;
  /** How often each byte was read. */
  let reads: Uint8Array;
  let source: Source;

  beforeAll(async () => {
    wanted = await sparse(1);
    const other = await sparse(2);
    archive = archiveOf(
      Array.from({ length: COUNT }, (_, i) => ({
        ...{ name: `layers.${i}.weight`, dtype: "F32", shape: [2048, WEIGHTS / 2048] },
        record: (i === WANTED ? wanted : other).record,
      })),
    );
    reads = new Uint8Array(archive.length);
    source = {
      byteLength: archive.length,
      async read(offset, byteLength) {
        for (let i = offset; i < offset + byteLength; i++) reads[i]++;
        return archive.slice(offset, offset + byteLength);
      },
      async close() {},
    };
  });

  it.each(["tensor", "blocks"] as const)("is had by %s for the bytes of the header and of its record, and of no others", async (way) => {
    reads.fill(0);
    const opened = await open(source);
    const { tensors, recordsOffset } = opened.header;
    expect(tensors.reduce((sum, { byteLength }) => sum + byteLength, 0)).toBeGreaterThan(5e8);
    const entry = tensors[WANTED];
    if (way === "tensor") expectSame((await opened.tensor(entry)).data, wanted.data);
    else {
      let at = 0;
      for await (const block of opened.blocks(entry)) {
        expectSame(block, wanted.data.subarray(at, at + block.length));
        at += block.length;
      }
      expect(at).toBe(entry.byteLength);
    }
    const end = entry.recordOffset + entry.recordByteLength;
    const needed = (i: number) => i < recordsOffset || (i >= entry.recordOffset && i < end);
    expect(reads.every((count, i) => count > 0 === needed(i))).toBe(true);
    // The first bytes tell how long the header is, those of the record how long its head is, and are read again with what follows.
    const read = reads.reduce((sum, count) => sum + count, 0);
    expect(read).toBeLessThanOrEqual(recordsOffset + 14 + entry.recordByteLength + 8192 + 8 * 8);
  });
});
