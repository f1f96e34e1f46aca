import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ByteWriter } from "../../src/archive/bytes.js";
import { type Header, headerEnd, readHeader, writeHeader } from "../../src/archive/header.js";
import { MAGIC } from "../../src/archive/limits.js";
import { crc32c } from "../../src/reference/index.js";
import { DTYPES, dtypeBits, type TensorInfo, tensorByteLength } from "../../src/types.js";
import { refused } from "./refused.js";

const NO_SHELL = Uint8Array.of(0);

function write(tensors: readonly TensorInfo[], recordByteLength = 50): Uint8Array {
  return writeHeader(
    tensors.map((tensor) => ({ ...tensor, recordByteLength })),
    NO_SHELL,
    crc32c,
  );
}

function read(bytes: Uint8Array): Header {
  return readHeader(bytes, crc32c);
}

/** A header around a body of any bytes, its checksum right. */
function around(body: Uint8Array | ByteWriter): Uint8Array {
  const bytes = body instanceof ByteWriter ? body.finish() : body;
  const covered = new ByteWriter().bytes(MAGIC).u8(1).u8(0).varint(bytes.length).bytes(bytes).finish();
  return new ByteWriter().bytes(covered).u32(crc32c(covered)).finish();
}

/** The entry of a scalar I8 whose name is `middle` alone. */
function entry(out: ByteWriter, middle: string, prefix = 0): ByteWriter {
  const bytes = new TextEncoder().encode(middle);
  return out
    .varint(prefix)
    .varint(2 * bytes.length)
    .bytes(bytes)
    .u8(7)
    .varint(5);
}

/** Enough after the fields of interest that the count of tensors is believed. */
function padded(out: ByteWriter): Uint8Array {
  return around(out.bytes(new Uint8Array(64)));
}

const SCALAR = { dtype: "F32", shape: [] } as const;

describe("names", () => {
  const odd = ["", "__proto__", "constructor", "a\0b", "\0", "😀", "é", "\ufeff", "a/b", "layers.0.attention.weight", "x".repeat(300)];
  const part = fc.constantFrom("layers.", "0", "1", "17", ".weight", ".bias", "/", "é", "😀", "\u{1F468}\u200D", "a", "");
  const name = fc.oneof(
    fc.constantFrom(...odd),
    fc.array(part, { maxLength: 6 }).map((parts) => parts.join("")),
    fc.string({ unit: "binary" }),
  );

  it("come back, whatever they are", () => {
    fc.assert(
      fc.property(fc.uniqueArray(name, { maxLength: 40 }), (names) => {
        const well = names.filter((one) => !/\p{Surrogate}/u.test(one));
        const header = read(write(well.map((one) => ({ name: one, ...SCALAR }))));
        expect(header.tensors.map((tensor) => tensor.name)).toEqual(well);
      }),
      { seed: 4, numRuns: 400 },
    );
  });

  it("that repeat a pattern take a few bytes each", () => {
    const names = Array.from({ length: 100 }, (_, i) =>
      ["weight", "bias"].map((leaf) => `model.layers.${i}.self_attention.out.${leaf}`),
    ).flat();
    const bytes = write(names.map((one) => ({ name: one, ...SCALAR })));
    expect(read(bytes).tensors.map((tensor) => tensor.name)).toEqual(names);
    expect(bytes.length / names.length).toBeLessThan(10);
  });

  it("have 65,535 bytes at the most", () => {
    const longest = "n".repeat(65535);
    expect(read(write([{ name: longest, ...SCALAR }])).tensors[0].name).toBe(longest);
    refused(() => read(write([{ name: `${longest}n`, ...SCALAR }])), "LIMIT");
  });

  it("are prefix, middle and tail", () => {
    const out = new ByteWriter().varint(3);
    entry(out, "abc.weight");
    entry(out, "xyz");
    out.varint(1).varint(3).bytes(Uint8Array.of(0x2d)).varint(2).varint(7).u8(7).varint(5); // x, -, .weight
    expect(read(around(out.varint(0))).tensors.map((tensor) => tensor.name)).toEqual(["abc.weight", "xyz", "x-.weight"]);
  });

  it("that share a prefix or tail which is not there are refused", () => {
    refused(() => read(padded(entry(new ByteWriter().varint(1), "a", 1))), "CORRUPT", "the first has nothing before it");
    refused(() => read(padded(entry(entry(new ByteWriter().varint(2), "ab"), "c", 3))), "CORRUPT", "a prefix longer than the name before");
    const tail = (back: number, byteLength: number): Uint8Array =>
      padded(entry(new ByteWriter().varint(2), "ab").varint(0).varint(1).varint(back).varint(byteLength).u8(7).varint(5));
    refused(() => read(tail(0, 1)), "CORRUPT", "no name back");
    refused(() => read(tail(2, 1)), "CORRUPT", "beyond the first name");
    refused(() => read(tail(1, 0)), "CORRUPT", "an empty tail");
    refused(() => read(tail(1, 3)), "CORRUPT", "a tail longer than its name");
    refused(() => read(tail(1, 2)), "DUPLICATE", "the same name");
  });

  it("that are not UTF-8 are refused", () => {
    for (const bytes of [[0xff], [0xc3], [0xed, 0xa0, 0x80]]) {
      const out = new ByteWriter()
        .varint(1)
        .varint(0)
        .varint(2 * bytes.length)
        .bytes(Uint8Array.from(bytes));
      refused(() => read(padded(out.u8(7).varint(5))), "CORRUPT", bytes.join());
    }
  });

  it("may share bytes of a character, as long as they are UTF-8 together", () => {
    const names = ["é", "è", "😀", "😁"];
    expect(read(write(names.map((one) => ({ name: one, ...SCALAR })))).tensors.map((tensor) => tensor.name)).toEqual(names);
  });

  it("that stand twice are refused", () => {
    for (const one of ["", "a", "__proto__"]) {
      refused(
        () =>
          read(
            write([
              { name: one, ...SCALAR },
              { name: "b", ...SCALAR },
              { name: one, ...SCALAR },
            ]),
          ),
        "DUPLICATE",
        one,
      );
    }
  });
});

describe("tensors", () => {
  it("come back with every dtype and rank", () => {
    const shapes = [[], [40], [0], [8, 3], [8, 0, 3], [8, 1, 2, 1, 2, 1], [16, 1, 1, 1, 1, 1, 1], [8, ...new Array(63).fill(1)]];
    for (const dtype of DTYPES) {
      for (const shape of shapes) {
        if (shape.length === 0 && dtypeBits(dtype) < 8) continue; // less than a byte
        const [tensor] = read(write([{ name: "w", dtype, shape }], 1000)).tensors;
        expect(tensor).toMatchObject({ name: "w", dtype, shape, byteLength: tensorByteLength(dtype, shape), recordByteLength: 1000 });
      }
    }
  });

  it("have their records one after another", () => {
    const bytes = write(
      [
        { name: "a", ...SCALAR },
        { name: "b", ...SCALAR },
      ],
      77,
    );
    const header = read(bytes);
    expect(header.recordsOffset).toBe(bytes.length);
    expect(header.tensors.map(({ recordOffset }) => recordOffset)).toEqual([bytes.length, bytes.length + 77]);
    expect(header.archiveByteLength).toBe(bytes.length + 154);
  });

  const tensor = (kind: number, ...varints: number[]): Uint8Array => {
    const out = new ByteWriter().varint(1).varint(0).varint(2).u8(0x61).u8(kind);
    for (const value of varints) out.varint(value);
    return padded(out);
  };

  it("of a dtype that is not known are UNSUPPORTED", () => {
    for (let dtype = DTYPES.length; dtype < 32; dtype++) refused(() => read(tensor(dtype, 5)), "UNSUPPORTED", `${dtype}`);
  });

  it("have their rank in its shortest form, 64 at the most", () => {
    expect(read(tensor(0xe7, 7, 1, 1, 1, 1, 1, 1, 1, 5)).tensors[0].shape).toEqual(new Array(7).fill(1));
    for (const rank of [0, 1, 6, 65, 2 ** 50]) refused(() => read(tensor(0xe7, rank, 5)), "CORRUPT", `${rank}`);
  });

  it("fill whole bytes, less than 2^53 of them", () => {
    refused(() => read(tensor(0x20 | DTYPES.indexOf("F4"), 3, 5)), "CORRUPT");
    refused(() => read(tensor(0x20 | DTYPES.indexOf("F6_E2M3"), 2, 5)), "CORRUPT");
    refused(() => read(tensor(0x40, 2 ** 30, 2 ** 30, 5)), "LIMIT");
    refused(() => read(tensor(0x60, 2 ** 40, 2 ** 40, 0, 5)), "LIMIT", "an axis of 0 does not excuse the others");
    refused(() => read(tensor(0x20 | DTYPES.indexOf("C128"), 2 ** 49, 2 ** 52)), "LIMIT");
  });

  it("have records of 5 bytes and more, for at most 2^20 elements each 5", () => {
    for (let length = 0; length < 5; length++) refused(() => read(tensor(7, length)), "CORRUPT", `${length}`);
    expect(read(tensor(0x27, 2 ** 20, 5)).tensors[0].byteLength).toBe(2 ** 20);
    refused(() => read(tensor(0x27, 2 ** 20 + 1, 5)), "LIMIT");
    refused(() => read(tensor(0x27, 2 ** 20 + 1, 9)), "LIMIT");
    expect(read(tensor(0x27, 2 ** 21, 10)).tensors[0].byteLength).toBe(2 ** 21);
  });

  it("whose records pass 2^53 bytes are refused", () => {
    const out = new ByteWriter().varint(2);
    out.varint(0).varint(2).u8(0x61).u8(7).varint(Number.MAX_SAFE_INTEGER);
    out.varint(0).varint(2).u8(0x62).u8(7).varint(5);
    refused(() => read(padded(out)), "LIMIT");
  });
});

describe("the header", () => {
  const whole = write([
    { name: "layers.0.weight", dtype: "F32", shape: [3, 4] },
    { name: "layers.1.weight", dtype: "F16", shape: [7] },
  ]);

  it("of nothing is thirteen bytes", () => {
    const bytes = write([]);
    expect([...bytes.subarray(0, 9)]).toEqual([0xc0, 0x99, 0x1c, 0xe0, 1, 0, 2, 0, 0]);
    expect(bytes.length).toBe(13);
    expect(read(bytes)).toMatchObject({ tensors: [], shellOffset: 8, shell: NO_SHELL, archiveByteLength: 13 });
  });

  it("is refused as TRUNCATED at every length but its own", () => {
    for (let length = 0; length < whole.length; length++) {
      expect(refused(() => read(whole.subarray(0, length)), "TRUNCATED", `${length} bytes`).offset).toBeLessThanOrEqual(length);
    }
    expect(headerEnd(whole)).toBe(whole.length);
    expect(read(Uint8Array.of(...whole, 1, 2, 3)).archiveByteLength).toBe(whole.length + 100);
  });

  it("is refused where its checksum covers other bytes", () => {
    for (let at = 7; at < whole.length; at++) {
      const other = whole.slice();
      other[at] ^= 0x10;
      refused(() => read(other), "CHECKSUM", `byte ${at}`);
    }
  });

  it("is refused with another magic, version or flag", () => {
    const changed = (at: number, value: number): Uint8Array => whole.map((byte, i) => (i === at ? value : byte));
    for (let at = 0; at < 4; at++) expect(refused(() => read(changed(at, 0x20)), "MAGIC").offset).toBe(at);
    for (const version of [0, 2, 255]) expect(refused(() => read(changed(4, version)), "VERSION").offset).toBe(4);
    for (let bit = 0; bit < 8; bit++) expect(refused(() => read(changed(5, 1 << bit)), "CORRUPT").offset).toBe(5);
    refused(() => read(new TextEncoder().encode("<html>")), "MAGIC");
  });

  it("is refused where its parts are longer than it", () => {
    for (let length = 0; length < 30; length++) {
      const out = entry(entry(new ByteWriter().varint(2), "first"), "second")
        .varint(0)
        .finish();
      if (length < out.length) {
        const error = (() => {
          try {
            return read(around(out.subarray(0, length)));
          } catch (thrown) {
            return thrown;
          }
        })();
        expect(error, `${length} of ${out.length} bytes`).toHaveProperty("code");
        expect(["TRUNCATED", "LIMIT"]).toContain((error as { code: string }).code);
      }
    }
    refused(() => read(around(entry(new ByteWriter().varint(1), "no count of files"))), "TRUNCATED");
  });

  it("refuses huge claims at once, without the memory that they ask for", () => {
    const huge = [2 ** 31, 2 ** 40, Number.MAX_SAFE_INTEGER];
    const started = performance.now();
    for (const claim of huge) {
      const length = new ByteWriter().bytes(MAGIC).u8(1).u8(0).varint(claim).bytes(new Uint8Array(99)).finish();
      refused(() => read(length), "LIMIT", `a header of ${claim} bytes`);
      refused(() => read(around(new ByteWriter().varint(claim).bytes(new Uint8Array(99)))), "LIMIT", `${claim} tensors`);
      refused(() => read(padded(new ByteWriter().varint(1).varint(0).varint(claim))), "TRUNCATED", `a name of ${claim / 2} bytes`);
      const tail = entry(new ByteWriter().varint(2), "ab").varint(0).varint(1).varint(claim).varint(claim);
      refused(() => read(padded(tail)), "CORRUPT", `a tail ${claim} names back`);
    }
    const largest = new ByteWriter()
      .bytes(MAGIC)
      .u8(1)
      .u8(0)
      .varint(2 ** 28)
      .bytes(new Uint8Array(99))
      .finish();
    refused(() => read(largest), "TRUNCATED");
    refused(() => read(largest.map((byte, i) => (i === 6 ? byte | 1 : byte))), "LIMIT");
    expect(performance.now() - started).toBeLessThan(500);
  });

  it("of thousands of records that are not there is refused before all of it was read", () => {
    const count = 5000;
    const names = (wrongAt: number): Uint8Array => {
      const out = new ByteWriter().varint(count);
      for (let i = 0; i < count; i++) entry(out, i === wrongAt ? "0" : `${i}`);
      return padded(out);
    };
    const bytes = names(-1);
    const all = bytes.length + 5 * count;
    expect(readHeader(bytes, crc32c, all).archiveByteLength).toBe(all);
    // The second name that is the first's again stands behind so many records that the archive's end is passed before.
    expect(refused(() => readHeader(names(count - 1), crc32c, bytes.length + 100), "TRUNCATED").offset).toBe(bytes.length + 100);
    refused(() => readHeader(names(count - 1), crc32c), "DUPLICATE", "an archive of unknown length");
    refused(() => readHeader(names(count - 1), crc32c, all), "DUPLICATE", "an archive that has its records");
  });

  it("is refused with names of more bytes in all than its own bytes can mean", () => {
    // Each takes about eight bytes of the header and stands for a thousand.
    const bomb = new ByteWriter().varint(20000);
    entry(bomb, "n".repeat(1000));
    for (let i = 1; i < 20000; i++) entry(bomb, String.fromCharCode(97 + (i % 26)) + i, 1000);
    refused(() => read(padded(bomb)), "LIMIT");
  });

  it("is refused with a tail from more than 32 names back", () => {
    const names = (back: number): ByteWriter => {
      const bytes = new ByteWriter().varint(41);
      for (let i = 0; i < 40; i++) entry(bytes, `${i}-tail`);
      return bytes.varint(0).varint(3).bytes(new TextEncoder().encode("x")).varint(back).varint(4).u8(0).varint(9);
    };
    expect(read(padded(names(32))).tensors[40].name).toBe("xtail");
    refused(() => read(padded(names(33))), "CORRUPT");
  });

  it("is refused with long names that stand for more bytes than they take", () => {
    const names = Array.from({ length: 50 }, (_, i) => `${"n".repeat(1100)}${i}${"m".repeat(1100)}`);
    const bytes = write(names.map((name) => ({ name, ...SCALAR })));
    expect(bytes.length, "long names are written in full").toBeGreaterThan(50 * 2200);
    expect(read(bytes).tensors.map(({ name }) => name)).toEqual(names);

    const long = "n".repeat(1000);
    const prefixed = (more: number): Uint8Array => padded(entry(entry(new ByteWriter().varint(2), long), "m".repeat(more), 1000));
    expect(read(prefixed(24)).tensors[1].name.length).toBe(1024);
    refused(() => read(prefixed(25)), "LIMIT");
    const tail = (more: number): Uint8Array => {
      const out = entry(new ByteWriter().varint(2), long).varint(0);
      return padded(
        out
          .varint(2 * more + 1)
          .bytes(new Uint8Array(more))
          .varint(1)
          .varint(1000)
          .u8(7)
          .varint(5),
      );
    };
    expect(read(tail(24)).tensors[1].name.length).toBe(1024);
    refused(() => read(tail(25)), "LIMIT");
  });
});
