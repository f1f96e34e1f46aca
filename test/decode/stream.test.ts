import { describe, expect, it } from "vitest";
import { decodeStreamWith } from "../../src/decode/decode.js";
import { FormatError } from "../../src/errors.js";
import { compress, decodeStream, readHeader, type Tensor } from "../../src/index.js";
import { archiveOf, sealed } from "../archive/craft.js";
import { codeOf } from "../archive/outcome.js";
import { SAMPLES } from "../archive/samples.js";
import { cores, decoder } from "../cores.js";
import { expectSame } from "../kernels/all.js";
import { NETWORK } from "../pipeline/models.js";
import { Random } from "../random.js";
import { LIBRARIES } from "./libraries.js";
import { chunked, webStream } from "./streams.js";

const samples = [...SAMPLES].map(([name, sample]) => ({ name, ...sample }));

/** The tensors that a stream gives before it ends or fails, and the failure. */
async function arrived(stream: AsyncIterable<Tensor>): Promise<{ tensors: Tensor[]; error: unknown }> {
  const tensors: Tensor[] = [];
  try {
    for await (const tensor of stream) tensors.push(tensor);
  } catch (error) {
    return { tensors, error };
  }
  return { tensors, error: undefined };
}

function expectTensors(actual: readonly Tensor[], expected: readonly Tensor[]): void {
  expect(actual.map(({ name, dtype, shape }) => [name, dtype, shape])).toEqual(
    expected.map(({ name, dtype, shape }) => [name, dtype, shape]),
  );
  for (const [i, { data, name }] of expected.entries()) expectSame(actual[i].data, data, name);
}

describe.each(cores)("a stream, with the $name,", ({ core }) => {
  it.each(samples)("decodes whatever its chunks: $name", async ({ archive, tensors }) => {
    const random = new Random(archive.length);
    for (const size of [1, 2, 3, 7, 64, archive.length]) {
      const { error, tensors: got } = await arrived(decodeStreamWith(core, chunked(archive, size)));
      expect(error).toBeUndefined();
      expectTensors(got, tensors);
    }
    for (let i = 0; i < 5; i++) {
      const chunks: Uint8Array[] = [];
      for (let at = 0; at < archive.length; ) {
        const size = random.below(40); // empty ones among them
        chunks.push(archive.subarray(at, at + size));
        at += size;
      }
      const { error, tensors: got } = await arrived(decodeStreamWith(core, webStream(chunks)));
      expect(error).toBeUndefined();
      expectTensors(got, tensors);
    }
  });
});

describe("a stream that ends early", () => {
  const { archive, tensors } = SAMPLES.get("names") ?? samples[0];

  it("delivers the tensors that are whole, then is TRUNCATED", async () => {
    const ends: number[] = [];
    for await (const _ of decodeStream(chunked(archive, 1))) ends.push(0);
    expect(ends.length).toBe(tensors.length);
    let most = 0;
    for (let length = 0; length < archive.length; length++) {
      const { tensors: got, error } = await arrived(decodeStream(chunked(archive.subarray(0, length), 5)));
      expect(error, `${length} bytes`).toBeInstanceOf(FormatError);
      expect(error, `${length} bytes`).toMatchObject({ code: "TRUNCATED" });
      expect((error as FormatError).offset).toBeLessThanOrEqual(length);
      expect(got.length).toBeGreaterThanOrEqual(most);
      most = got.length;
      expectTensors(got, tensors.slice(0, got.length));
    }
    expect(most).toBe(tensors.length - 1);
  });

  it.each(samples)("is TRUNCATED at every byte: $name", async ({ archive: whole }) => {
    for (let length = 0; length < whole.length; length++) {
      const { error } = await arrived(decodeStream(chunked(whole.subarray(0, length), 1000)));
      expect(error, `${length} of ${whole.length}`).toMatchObject({ name: "FormatError", code: "TRUNCATED" });
    }
  });

  it("hands each tensor out as soon as its record is there", async () => {
    const arrivedBytes: number[] = [];
    let sent = 0;
    async function* watched(): AsyncGenerator<Uint8Array> {
      for (; sent < archive.length; sent++) yield archive.subarray(sent, sent + 1);
    }
    for await (const _ of decodeStream(watched())) arrivedBytes.push(sent);
    const ends = recordEnds(archive);
    // The byte that completes a record is the last that was asked for.
    expect(arrivedBytes).toEqual(ends.map((end) => end - 1));
  });
});

function recordEnds(archive: Uint8Array): number[] {
  return readHeader(archive).tensors.map(({ recordOffset, recordByteLength }) => recordOffset + recordByteLength);
}

describe("a stream is refused", () => {
  const { archive, tensors } = SAMPLES.get("names") ?? samples[0];

  it("as TRAILING with a byte more, after all tensors", async () => {
    const { tensors: got, error } = await arrived(decodeStream(chunked(Uint8Array.of(...archive, 0), 9)));
    expect(error).toMatchObject({ code: "TRAILING", offset: archive.length });
    expectTensors(got, tensors);
  });

  it("as an archive in memory is, whichever bit is flipped", async () => {
    const flipped = archive.slice();
    for (let bit = 0; bit < 8 * archive.length; bit++) {
      flipped[bit >>> 3] ^= 1 << (bit & 7);
      const { error } = await arrived(decodeStreamWith(decoder, chunked(flipped, 50)));
      // A length that is wrong shows as missing or left-over bytes only once the stream has ended.
      expect(error, `bit ${bit}`).toBeInstanceOf(FormatError);
      expect(codeOf(decoder, flipped)).toBeDefined();
      flipped[bit >>> 3] ^= 1 << (bit & 7);
    }
  });

  it("with chunks that are not bytes: the caller's mistake", async () => {
    async function* texts(): AsyncGenerator<Uint8Array> {
      yield "text" as unknown as Uint8Array;
    }
    expect((await arrived(decodeStream(texts()))).error).toBeInstanceOf(TypeError);
  });

  it("with the error of its source", async () => {
    const reason = new Error("the network went away");
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield archive.subarray(0, 100);
      throw reason;
    }
    expect((await arrived(decodeStream(broken()))).error).toBe(reason);
  });
});

describe("a stream that is left", () => {
  it("allocates by what came in, not by what the header claims", async () => {
    // Ten tensors of 400 MB each, of which nothing follows but the heads of the first one's blocks.
    const claim = Array.from(
      { length: 10 },
      (_, i) => ({ name: `t${i}`, dtype: "F32", shape: [10 ** 8], record: new Uint8Array(1000) }) as const,
    );
    const archive = archiveOf(claim).subarray(0, -10_000);
    const before = process.memoryUsage().arrayBuffers;
    const { error, tensors } = await arrived(decodeStream(chunked(archive, 1000)));
    expect([(error as FormatError).code, tensors.length]).toEqual(["TRUNCATED", 0]);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1e8);
  });

  it("of a header alone that claims 4 GB allocates next to nothing", async () => {
    const archive = archiveOf([{ name: "w", dtype: "F32", shape: [2 ** 30], record: new Uint8Array(5 * 2 ** 10) }]).subarray(0, 27);
    const before = process.memoryUsage().arrayBuffers;
    const { error, tensors } = await arrived(decodeStream(chunked(archive, 27)));
    expect(error).toMatchObject({ name: "FormatError", code: "TRUNCATED" });
    expect(tensors).toEqual([]);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1e6);
  });

  it("gives no more than what came in can carry, unless the caller allows it", async () => {
    // A tensor of zeros takes 5 bytes for 4 MiB.
    const zeros = (count: number) =>
      archiveOf(
        Array.from({ length: count }, (_, i) => ({ name: `z${i}`, dtype: "F32", shape: [2 ** 20], record: sealed(Uint8Array.of(0x83)) })),
      );
    expect((await arrived(decodeStream(chunked(zeros(4), 100)))).tensors).toHaveLength(4);
    const { error, tensors } = await arrived(decodeStream(chunked(zeros(70), 100)));
    expect([(error as FormatError).code, tensors.length]).toEqual(["LIMIT", 64]);
    const bounded = await arrived(decodeStream(chunked(zeros(4), 100), { maxBytes: 2 ** 23 }));
    expect(bounded).toMatchObject({ tensors: [], error: { code: "LIMIT" } });
    expect((await arrived(decodeStream(chunked(zeros(70), 100), { maxBytes: 2 ** 40 }))).tensors).toHaveLength(70);
  });

  it.each(LIBRARIES)("is closed: the source hears of it from $name", async ({ library: { decodeStream } }) => {
    const { archive } = SAMPLES.get("names") ?? samples[0];
    let closed = 0;
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        yield* chunked(archive, 4);
      } finally {
        closed++;
      }
    }
    for await (const _ of decodeStream(source())) break;
    expect(closed).toBe(1);
    await arrived(decodeStream(source()));
    expect(closed).toBe(2);
    let cancelled = false;
    const web = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(archive.subarray(0, archive.length - 1)),
      cancel: () => void (cancelled = true),
    });
    for await (const _ of decodeStream(web, { blocks: true })) break;
    expect(cancelled).toBe(true);
  });

  it("takes its time in proportion to its bytes, also in chunks of one", async () => {
    const { archive } = await compress(NETWORK, { preset: "exact" });
    const started = performance.now();
    expect((await arrived(decodeStream(chunked(archive, 1)))).tensors.length).toBe(NETWORK.length);
    expect(performance.now() - started).toBeLessThan(5000);
  });
});
