import { describe, expect, it } from "vitest";
import { writeHeader } from "../../src/archive/header.js";
import { MAX_VARINT } from "../../src/archive/limits.js";
import * as edge from "../../src/decode/index.js";
import { FormatError, type FormatErrorCode } from "../../src/errors.js";
import * as reference from "../../src/reference/index.js";
import { archiveOf, craftArchive, floats, sealed, tensorOf } from "../archive/craft.js";
import { reseal } from "../archive/reseal.js";
import { SAMPLES } from "../archive/samples.js";
import { Random } from "../random.js";
import { wasmBytes } from "../wasm-memories.js";
import { came, type Decoder, difference, sourceOf, WAYS } from "./ways.js";

// Streams and sources as an enemy gives them, and as a bad network does.

const DECODERS: readonly { readonly title: string; readonly decoder: Decoder }[] = [
  { title: "coppice/decode", decoder: edge },
  { title: "coppice/reference", decoder: reference },
];
const MAX_BYTES = { maxBytes: 1 << 22 };
const SIZES = [3, 0, 1, 50];

const samples = [...SAMPLES].map(([name, sample]) => ({ name, ...sample }));
const random = new Random(404);
const BLOCKS = tensorOf("blocks", "U8", [3000], random.symbols(3000, 4));
/** Two tensors, the first of six blocks. */
const ARCHIVE = craftArchive([
  { ...BLOCKS, coding: "dense", blockLog: 9 },
  { ...floats("bias", [5], [1, 2, 3, 4, 5]), coding: "raw" },
]);

const NO_BYTES: readonly { readonly title: string; readonly value: unknown }[] = [
  { title: "text", value: "text" },
  { title: "an ArrayBuffer", value: new ArrayBuffer(8) },
  { title: "a Uint16Array", value: new Uint16Array(8) },
  { title: "an array", value: [1, 2] },
  { title: "a number", value: 7 },
  { title: "null", value: null },
  { title: "an object", value: { length: 3 } },
];

/** A stream that counts what is asked of it. */
class Feed implements AsyncIterableIterator<Uint8Array> {
  readonly #next: (turn: number) => unknown;
  pulls = 0;
  cancelled = 0;

  /** @param next the chunks by their numbers; undefined ends the stream */
  constructor(next: (turn: number) => unknown) {
    this.#next = next;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    const value = (await this.#next(this.pulls++)) as Uint8Array;
    return value === undefined ? { done: true, value } : { done: false, value };
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    this.cancelled++;
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

/** The bytes one at a time, then what `after` gives. */
function drip(bytes: Uint8Array, after: (turn: number) => unknown): Feed {
  return new Feed((turn) => (turn < bytes.length ? bytes.subarray(turn, turn + 1) : after(turn - bytes.length)));
}

/** What arrives before a stream ends or fails, and the failure. */
async function arrived<T>(stream: AsyncIterable<T>): Promise<{ items: T[]; error: unknown }> {
  const items: T[] = [];
  try {
    for await (const item of stream) items.push(item);
    return { items, error: undefined };
  } catch (error) {
    return { items, error };
  }
}

describe.each(DECODERS)("$title,", ({ decoder }) => {
  describe.each(WAYS)("by $name,", ({ tensors: tensorsBy }) => {
    it.each(samples)("decodes an archive with $name", async ({ archive, tensors }) => {
      expect(difference(await came(tensorsBy(decoder, archive, MAX_BYTES, SIZES)), tensors)).toBeUndefined();
    });

    it.each(samples)("refuses as TRUNCATED, however much is missing, an archive with $name", async ({ archive }) => {
      for (let length = 0; length < archive.length; length++) {
        const result = await came(tensorsBy(decoder, archive.subarray(0, length), MAX_BYTES, SIZES));
        expect(result, `${length} of ${archive.length} bytes`).toMatchObject({ name: "FormatError", code: "TRUNCATED" });
      }
    });

    it("refuses with any bit flipped, and with the checksums put right does as the others", async () => {
      for (const name of ["files", "blocks, own", "escape"]) {
        const flipped = SAMPLES.get(name)!.archive.slice();
        for (let bit = 0; bit < 8 * flipped.length; bit++) {
          flipped[bit >>> 3] ^= 1 << (bit & 7);
          expect(await came(tensorsBy(decoder, flipped, MAX_BYTES, SIZES)), `${name}, bit ${bit}`).toBeInstanceOf(FormatError);
          const resealed = reseal(flipped.slice());
          const expected = await came(WAYS[0].tensors(edge, resealed, MAX_BYTES, SIZES));
          const actual = await came(tensorsBy(decoder, resealed, MAX_BYTES, SIZES));
          expect(difference(actual, expected), `${name}, bit ${bit}, resealed`).toBeUndefined();
          flipped[bit >>> 3] ^= 1 << (bit & 7);
        }
      }
    });
  });

  describe("a stream", () => {
    it("of one byte at a time is asked for no more than it must give", async () => {
      const feed = drip(ARCHIVE, () => undefined);
      const { items, error } = await arrived(decoder.decodeStream(feed));
      expect(error).toBeUndefined();
      expect(items.map(({ name }) => name)).toEqual(["blocks", "bias"]);
      expect(feed.pulls).toBe(ARCHIVE.length + 1);
    });

    it("may give empty chunks between all others", async () => {
      const feed = new Feed((turn) => (turn >= 2 * ARCHIVE.length ? undefined : ARCHIVE.subarray(turn >> 1, (turn >> 1) + (turn & 1))));
      const { items, error } = await arrived(decoder.decodeStream(feed));
      expect(error).toBeUndefined();
      expect(items).toHaveLength(2);
    });

    it("that goes on after the archive is TRAILING at once, and cancelled", async () => {
      const feed = drip(ARCHIVE, () => Uint8Array.of(0));
      const { items, error } = await arrived(decoder.decodeStream(feed));
      expect(error).toMatchObject({ name: "FormatError", code: "TRAILING", offset: ARCHIVE.length });
      expect(items).toHaveLength(2);
      expect([feed.pulls, feed.cancelled]).toEqual([ARCHIVE.length + 1, 1]);
    });

    it.each(NO_BYTES)("with $title for a chunk is the caller's mistake, and cancelled", async ({ value }) => {
      for (const sent of [0, 10, ARCHIVE.length - 30, ARCHIVE.length]) {
        const feed = drip(ARCHIVE.subarray(0, sent), () => value);
        const { error } = await arrived(decoder.decodeStream(feed));
        expect(error, `after ${sent} bytes`).toBeInstanceOf(TypeError);
        expect([feed.pulls, feed.cancelled]).toEqual([sent + 1, 1]);
      }
    });

    it("that fails gives its own error, after the tensors that came before", async () => {
      const { tensors } = edge.readHeader(ARCHIVE);
      for (let sent = 0; sent <= ARCHIVE.length; sent += 7) {
        const reason = new Error("the network went away");
        const feed = drip(ARCHIVE.subarray(0, sent), () => Promise.reject(reason));
        const { items, error } = await arrived(decoder.decodeStream(feed));
        expect(error, `after ${sent} bytes`).toBe(reason);
        expect(items).toHaveLength(tensors.filter(({ recordOffset, recordByteLength }) => recordOffset + recordByteLength <= sent).length);
      }
    });

    it("that breaks while it is cancelled still gives the first error", async () => {
      const broken = ARCHIVE.slice();
      broken[broken.length - 1] ^= 1;
      const web = new ReadableStream<Uint8Array>({
        pull: (controller) => controller.enqueue(broken),
        cancel: () => Promise.reject(new Error("cancelling failed")),
      });
      expect((await arrived(decoder.decodeStream(web))).error).toMatchObject({ name: "FormatError", code: "CHECKSUM" });
    });

    it("is cancelled where it is left, and not where it has ended", async () => {
      const ends: [bytes: Uint8Array, leave: boolean][] = [
        [ARCHIVE, false],
        [ARCHIVE, true],
        [ARCHIVE.subarray(0, 100), false],
        [Uint8Array.of(...ARCHIVE, 1), false],
      ];
      for (const [bytes, leave] of ends) {
        let cancelled = 0;
        const web = new ReadableStream<Uint8Array>({
          start: (controller) => controller.enqueue(bytes),
          pull: (controller) => (leave ? undefined : controller.close()),
          cancel: () => void cancelled++,
        });
        await arrived(
          (async function* () {
            for await (const tensor of decoder.decodeStream(web)) {
              yield tensor;
              if (leave) return;
            }
          })(),
        );
        expect(cancelled).toBe(leave ? 1 : 0);
      }
    });

    it("that never ends is refused before it has filled the memory", async () => {
      const claims = [
        // A record, or a block of one, that is as long as an archive may be.
        claimed(1, MAX_VARINT - 100, [0]),
        claimed(1, MAX_VARINT - 100, [2, 0, 0, 9, 1, 0]),
        claimed(300, MAX_VARINT - 100, [3 << 3, ...varint(MAX_VARINT - 200)]),
        claimed(2 ** 20, MAX_VARINT - 100, [0]),
      ];
      for (const [i, start] of claims.entries()) {
        const more = new Uint8Array(1 << 16);
        let sent = 0;
        const feed = new Feed((turn) => {
          sent += turn === 0 ? start.length : more.length;
          if (sent > 1 << 26) throw new RangeError("it would have gone on for ever");
          return turn === 0 ? start : more;
        });
        const { error } = await arrived(decoder.decodeStream(feed));
        expect(error, `claim ${i}`).toBeInstanceOf(FormatError);
        expect(feed.cancelled).toBe(1);
        // The head is waited for, with what stands behind it, and no more.
        expect(sent).toBeLessThan(1 << 17);
      }
    });
  });

  describe("a source", () => {
    const names = ["blocks", "bias"];

    /** Opens ARCHIVE and reads all of it, with a source of which each answer is changed. */
    async function readWith(change: (bytes: Uint8Array, reads: number) => unknown): Promise<{ items: string[]; error: unknown }> {
      let reads = 0;
      const source = sourceOf(ARCHIVE);
      const read = async (offset: number, byteLength: number) =>
        (await change(await source.read(offset, byteLength), reads++)) as Uint8Array;
      return arrived(
        (async function* () {
          const archive = await decoder.open({ ...source, read });
          for (const entry of archive.header.tensors) yield (await archive.tensor(entry)).name;
        })(),
      );
    }

    it("that gives fewer bytes than were asked for is TRUNCATED, whichever reading it is", async () => {
      let readings = 0;
      const all = await readWith((bytes, i) => {
        readings = i + 1;
        return bytes;
      });
      expect(all).toEqual({ items: names, error: undefined });
      expect(readings).toBeGreaterThan(10);
      // A head is read with what stands behind it: only of that may some be missing.
      const failed: number[] = [];
      for (let short = 0; short < readings; short++) {
        for (const fewer of [1, Number.POSITIVE_INFINITY]) {
          const { error } = await readWith((bytes, i) => (i === short ? bytes.subarray(0, Math.max(0, bytes.length - fewer)) : bytes));
          if (error !== undefined) {
            expect(error, `reading ${short}`).toMatchObject({ name: "FormatError", code: "TRUNCATED" });
            failed.push(short);
          } else expect(fewer).toBe(1);
        }
      }
      expect(new Set(failed).size).toBe(readings);
    });

    it("that gives more bytes than were asked for is read as if it had not", async () => {
      const more = (bytes: Uint8Array) => Uint8Array.of(...bytes, ...new Uint8Array(100).fill(0xa5));
      expect(await readWith(more)).toEqual({ items: names, error: undefined });
    });

    it.each([...NO_BYTES, { title: "undefined", value: undefined }])("that gives $title is the caller's mistake", async ({ value }) => {
      for (const turn of [0, 1, 2, 5]) {
        const { error } = await readWith((bytes, i) => (i === turn ? value : bytes));
        expect(error, `reading ${turn}`).toBeInstanceOf(TypeError);
      }
    });

    it("that fails gives its own error", async () => {
      for (const turn of [0, 1, 2, 5]) {
        const reason = new Error("the disk went away");
        const { error } = await readWith((bytes, i) => (i === turn ? Promise.reject(reason) : bytes));
        expect(error, `reading ${turn}`).toBe(reason);
      }
    });
  });

  describe("a signal", () => {
    const POSITIONS = [0, 5, 30, 200, ARCHIVE.length - 5, ARCHIVE.length];
    const never = () => new Promise<never>(() => {});

    it.each([false, true])("frees a stream that stalls, which is cancelled (blocks: %s)", async (blocks) => {
      for (const sent of POSITIONS) {
        const controller = new AbortController();
        const reason = new Error("enough");
        const feed = drip(ARCHIVE.subarray(0, sent), () => {
          setTimeout(() => controller.abort(reason));
          return never();
        });
        const options = { signal: controller.signal };
        const { error } = await arrived<unknown>(
          blocks ? decoder.decodeStream(feed, { ...options, blocks }) : decoder.decodeStream(feed, options),
        );
        expect(error, `after ${sent} bytes`).toBe(reason);
        expect([feed.pulls, feed.cancelled]).toEqual([sent + 1, 1]);
      }
    });

    it("frees a web stream and a generator that stall", async () => {
      for (const sent of POSITIONS) {
        for (const kind of ["web", "generator"]) {
          const controller = new AbortController();
          let cancelled = false;
          const bytes = ARCHIVE.subarray(0, sent);
          async function* generator(): AsyncGenerator<Uint8Array> {
            yield bytes;
            await never();
          }
          const web = new ReadableStream<Uint8Array>({
            start: (stream) => stream.enqueue(bytes),
            cancel: () => void (cancelled = true),
          });
          setTimeout(() => controller.abort(), 1);
          const { error } = await arrived(decoder.decodeStream(kind === "web" ? web : generator(), { signal: controller.signal }));
          expect(error, `${kind}, after ${sent} bytes`).toBe(controller.signal.reason);
          expect(cancelled).toBe(kind === "web");
        }
      }
    });

    it("is heard among empty chunks for ever, and bytes that come without a turn of the event loop", async () => {
      const long = craftArchive([{ ...tensorOf("long", "U8", [1 << 20], random.bytes(1 << 16)), coding: "raw", shape: [1 << 16] }]);
      for (const next of [() => new Uint8Array(0), (turn: number) => long.subarray(turn >> 10, (turn >> 10) + Number(turn % 1024 === 0))]) {
        const controller = new AbortController();
        setTimeout(() => controller.abort(), 1);
        const feed = new Feed(next);
        const { error } = await arrived(decoder.decodeStream(feed, { signal: controller.signal }));
        expect(error).toBe(controller.signal.reason);
        expect(feed.cancelled).toBe(1);
      }
    });

    it("that was given before is heard before anything is asked for", async () => {
      const signal = AbortSignal.abort(new Error("before"));
      const feed = drip(ARCHIVE, () => undefined);
      expect((await arrived(decoder.decodeStream(feed, { signal }))).error).toBe(signal.reason);
      expect([feed.pulls, feed.cancelled]).toEqual([0, 1]);
      let reads = 0;
      const source = { ...sourceOf(ARCHIVE), read: async () => new Uint8Array(reads++) };
      await expect(decoder.open(source, { signal })).rejects.toBe(signal.reason);
      expect(reads).toBe(0);
      expect(() => decoder.decode(ARCHIVE, { signal })).toThrow("before");
    });

    it("frees a source that does not answer, whichever reading it is", async () => {
      for (let answers = 0; answers < 12; answers++) {
        for (const blocks of [false, true]) {
          const controller = new AbortController();
          const source = sourceOf(ARCHIVE);
          let reads = 0;
          const read = (offset: number, byteLength: number) => {
            if (reads++ < answers) return source.read(offset, byteLength);
            setTimeout(() => controller.abort());
            return never();
          };
          const { signal } = controller;
          const { error } = await arrived(
            (async function* () {
              const archive = await decoder.open({ ...source, read }, { signal });
              for (const entry of archive.header.tensors) {
                if (blocks) yield* archive.blocks(entry, { signal });
                else yield await archive.tensor(entry, { signal });
              }
            })(),
          );
          expect(error, `after ${answers} readings`).toBe(signal.reason);
          expect(reads).toBe(answers + 1);
        }
      }
    });
  });

  describe("a claim", () => {
    const RECORDS = { raw: Uint8Array.of(0), several: Uint8Array.of(15 << 3, 0x80, 0x80, 4), zeros: Uint8Array.of(3) };
    const claims = [2 ** 20 + 1, 2 ** 30, 2 ** 40, 2 ** 50 - 1, MAX_VARINT].flatMap((weights) =>
      Object.entries(RECORDS).map(([record, head]) => ({ weights, record, head })),
    );

    it.each(claims)(
      "of $weights weights in a record of a few bytes ($record) is refused, and takes no memory",
      async ({ weights, head }) => {
        await came(WAYS[0].tensors(decoder, ARCHIVE, MAX_BYTES, SIZES)); // the module is there
        for (const shape of [[weights], [1, weights, 1]]) {
          const archive = archiveOf([{ name: "w", dtype: "U8", shape, record: sealed(head) }]);
          for (const { name, tensors } of WAYS) {
            for (const maxBytes of [undefined, Number.POSITIVE_INFINITY]) {
              const [buffers, wasm] = [process.memoryUsage().arrayBuffers, wasmBytes()];
              const codes: readonly FormatErrorCode[] = ["LIMIT", "TRUNCATED", "CORRUPT"];
              const result = await came(tensors(decoder, archive, { maxBytes }, SIZES));
              expect(result, `${name}, ${maxBytes}`).toBeInstanceOf(FormatError);
              expect(codes).toContain((result as FormatError).code);
              expect(process.memoryUsage().arrayBuffers - buffers).toBeLessThan(1 << 20);
              expect(wasmBytes()).toBe(wasm);
            }
          }
        }
      },
    );
  });
});

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) | 128);
  }
}

/** The beginning of an archive of one tensor whose record claims so many bytes, and begins with these. */
function claimed(elements: number, recordByteLength: number, record: readonly number[]): Uint8Array {
  const header = writeHeader([{ name: "w", dtype: "U8", shape: [elements], recordByteLength }], Uint8Array.of(0), reference.crc32c);
  return Uint8Array.of(...header, ...record);
}
