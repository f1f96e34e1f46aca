import { deflateRaw } from "pako";
import { describe, expect, it } from "vitest";
import { ByteWriter } from "../../src/archive/bytes.js";
import { type Header, readHeader, writeHeader } from "../../src/archive/header.js";
import { safetensorsHeader } from "../../src/archive/safetensors-header.js";
import { readShell, writeShell } from "../../src/archive/shell.js";
import { decode, decompress, inspect } from "../../src/index.js";
import { crc32c } from "../../src/reference/index.js";
import type { FileTemplate, Piece, TensorInfo } from "../../src/types.js";
import { archiveOf, craftRecord, floats, tensorOf } from "./craft.js";
import { refused, refusedLater } from "./refused.js";

const TENSORS: readonly TensorInfo[] = [
  { name: "a", dtype: "F32", shape: [2, 3] },
  { name: "b", dtype: "I64", shape: [] },
  { name: "c", dtype: "U8", shape: [3] },
];

function headerWith(shell: Uint8Array, tensors: readonly TensorInfo[] = TENSORS): Header {
  const entries = tensors.map((tensor) => ({ ...tensor, recordByteLength: 50 }));
  return readHeader(writeHeader(entries, shell, crc32c), crc32c);
}

function read(shell: Uint8Array): FileTemplate[] {
  return readShell(headerWith(shell));
}

const keepPlain = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes.length);
const level9 = (bytes: Uint8Array): Uint8Array => deflateRaw(bytes, { level: 9 });

function literal(text: string): Piece {
  return { kind: "bytes", bytes: new TextEncoder().encode(text) };
}

function hole(tensor: number, bigEndian = false, columnMajor = false): Piece {
  return { kind: "tensor", tensor, bigEndian, columnMajor };
}

const PIECES: readonly Piece[] = [
  literal("start"),
  hole(0, true, true),
  literal("middle"),
  { kind: "deflate", level: 9, byteLength: 77, pieces: [literal("x"), hole(1, false, true)] },
  hole(2),
];

/** A shell of one plain file named "f" with this body. */
function plain(body: Uint8Array | ByteWriter): Uint8Array {
  const bytes = body instanceof ByteWriter ? body.finish() : body;
  return new ByteWriter().varint(1).text("f").u8(0).varint(bytes.length).bytes(bytes).finish();
}

describe("templates", () => {
  it("come back plain", () => {
    const files = [
      { path: "model.bin", pieces: PIECES },
      { path: "sub/other.bin", pieces: [] },
    ];
    expect(read(writeShell(files, TENSORS, keepPlain))).toEqual(files);
  });

  it("come back deflated where that is smaller", () => {
    const files = [{ path: "graph.onnx", pieces: [literal("graph ".repeat(500)), ...PIECES.slice(1)] }];
    const shell = writeShell(files, TENSORS, level9);
    expect(shell.length).toBeLessThan(200);
    expect(read(shell)).toEqual(files);
  });

  it("of a canonical safetensors file are no more than its metadata", () => {
    for (const metadata of [
      undefined,
      new Map<string, string>(),
      new Map([
        ["format", "pt"],
        ["__proto__", '\u0001"é'],
      ]),
    ]) {
      const pieces = [{ kind: "bytes", bytes: safetensorsHeader(TENSORS, metadata) } as const, hole(0), hole(1), hole(2)];
      const shell = writeShell([{ path: "", pieces }], TENSORS, keepPlain);
      expect(shell.length).toBeLessThan(5 + (metadata?.size ?? 0) * 20);
      const [file] = read(shell);
      expect(file.pieces[0]).toEqual(pieces[0]);
      expect(file.pieces.slice(1)).toMatchObject([
        { kind: "tensor", tensor: 0 },
        { kind: "tensor", tensor: 1 },
        { kind: "tensor", tensor: 2 },
      ]);
    }
  });

  it("of a safetensors file with other spaces, order or holes stay as they are", () => {
    const bytes = safetensorsHeader(TENSORS);
    const spaced = Uint8Array.of(...bytes, ...new Array(8).fill(0x20));
    spaced[0] += 8;
    const others: readonly (readonly Piece[])[] = [
      [{ kind: "bytes", bytes: spaced }, hole(0), hole(1), hole(2)],
      [{ kind: "bytes", bytes }, hole(1), hole(0), hole(2)],
      [{ kind: "bytes", bytes }, hole(0), hole(1), hole(2), literal("more")],
      [{ kind: "bytes", bytes }, hole(0), hole(1)],
      [{ kind: "bytes", bytes }, hole(0, true), hole(1), hole(2)],
    ];
    for (const pieces of others) expect(read(writeShell([{ path: "", pieces }], TENSORS, keepPlain))[0].pieces).toEqual(pieces);
  });
});

describe("a shell is refused", () => {
  const whole = writeShell(
    [
      { path: "a", pieces: [literal("only text")] },
      { path: "b", pieces: [{ kind: "bytes", bytes: safetensorsHeader(TENSORS, new Map([["k", "v"]])) }, hole(0), hole(1), hole(2)] },
    ],
    TENSORS,
    keepPlain,
  );

  it("at every truncation, and with a byte more", () => {
    for (let length = 1; length < whole.length; length++) {
      expect(() => read(whole.subarray(0, length)), `${length} of ${whole.length} bytes`).toThrow(/^(TRUNCATED|CORRUPT) at byte/);
    }
    refused(() => read(Uint8Array.of(...whole, 0)), "TRAILING");
    expect(read(whole)).toHaveLength(2);
  });

  it("with paths that leave the folder, in any operating system", () => {
    const bad = [
      "/",
      "/etc/passwd",
      "..",
      "../x",
      "a/../b",
      "a/..",
      ".",
      "./a",
      "a/./b",
      "a//b",
      "a/",
      "C:x",
      "c:/x",
      "a\\b",
      "\\\\host\\x",
      "a\0",
      "\0",
    ];
    for (const path of bad) {
      const shell = new ByteWriter().varint(1).text(path).u8(0).varint(0).finish();
      refused(() => read(shell), "CORRUPT", JSON.stringify(path));
    }
    for (const path of ["", "a", "...", "..a", "a..", "a/b.c/d", " ", "ä/😀"]) {
      expect(read(new ByteWriter().varint(1).text(path).u8(0).varint(0).finish())[0].path).toBe(path);
    }
  });

  it("with a literal that is empty, or follows another", () => {
    refused(() => read(plain(Uint8Array.of(0, 0))), "CORRUPT");
    refused(() => read(plain(Uint8Array.of(0, 1, 65, 0, 1, 66))), "CORRUPT");
    refused(() => read(plain(Uint8Array.of(2, 6, 9, 2, 0, 0, 1, 0))), "CORRUPT", "in a group");
    const joined = writeShell([{ path: "f", pieces: [literal("a"), literal(""), literal("b"), hole(0)] }], TENSORS, keepPlain);
    expect(read(joined)[0].pieces).toEqual([literal("ab"), hole(0)]);
  });

  it("with two holes for a tensor, in one file, in two, or beside a safetensors file", () => {
    refused(() => read(plain(Uint8Array.of(1, 0, 1, 0))), "DUPLICATE");
    refused(() => read(plain(Uint8Array.of(1, 0, 2, 6, 9, 1, 1, 0))), "DUPLICATE", "in a group");
    const twice = new ByteWriter().varint(2);
    for (const path of ["a", "b"]) twice.text(path).u8(0).varint(2).u8(1).varint(1);
    refused(() => read(twice.finish()), "DUPLICATE");
    const beside = new ByteWriter().varint(2).text("a").u8(0).varint(2).u8(1).varint(1).text("b").u8(2).varint(0).finish();
    refused(() => read(beside), "DUPLICATE");
  });

  /** Files of one letter, each with a body of these bytes. */
  function filesOf(...bodies: readonly number[][]): Uint8Array {
    const shell = new ByteWriter().varint(bodies.length);
    for (const [i, body] of bodies.entries()) shell.text("abcd"[i]).u8(0).varint(body.length).bytes(Uint8Array.from(body));
    return shell.finish();
  }

  it("with parts that leave out bytes of their tensor, overlap, or are mixed with other holes", () => {
    const [A, B] = [0, 1]; // of 24 bytes and of 8
    const part = (tensor: number, byteLength: number): number[] => [17, tensor, byteLength];
    expect(read(filesOf(part(A, 23), [], part(A, 1)))[2].pieces).toEqual([{ kind: "part", tensor: A, offset: 23, byteLength: 1 }]);
    expect(read(filesOf([1, B, ...part(A, 1)], [...part(A, 23), 1, 2]))).toHaveLength(2);
    for (const [title, shell] of Object.entries({
      "the last is missing": filesOf(part(A, 10), part(A, 13)),
      "more than the tensor has": filesOf(part(A, 20), part(A, 5)),
      "more than the tensor has, far": filesOf(part(A, 20), [17, A, 255, 255, 255, 255, 255, 255, 255, 15]),
      "all of it": filesOf(part(A, 24)),
      "of no bytes": filesOf(part(A, 0), part(A, 24)),
      "two in a file": filesOf([...part(A, 10), ...part(A, 14)]),
      "another tensor between": filesOf(part(A, 10), [1, B, ...part(A, 14)]),
      "a part of another between": filesOf(part(A, 10), part(B, 4), part(A, 14)),
      "in a zlib group": filesOf([2, 6, 4, 1, ...part(A, 10)], part(A, 14)),
      "big-endian": filesOf([17 | 4, A, 10], part(A, 14)),
      "of no tensor": filesOf(part(3, 1)),
    }))
      refused(() => read(shell), "CORRUPT", title);
    refused(() => read(filesOf(part(A, 10), part(A, 14), part(A, 10))), "DUPLICATE");
    refused(() => read(filesOf([1, A], part(A, 10))), "DUPLICATE");
    refused(() => read(filesOf(part(A, 10), part(A, 14), [1, A])), "DUPLICATE");
    refused(
      () =>
        read(
          new ByteWriter()
            .bytes(Uint8Array.of(2, 1, 97, 0, 3, ...part(A, 10)))
            .text("b")
            .u8(2)
            .varint(0)
            .finish(),
        ),
      "DUPLICATE",
    );
  });

  it("with a zlib group that no tensor is in", () => {
    refused(() => read(plain(Uint8Array.of(2, 6, 2, 0))), "CORRUPT");
    refused(() => read(plain(Uint8Array.of(2, 6, 3, 1, 0, 1, 65))), "CORRUPT");
  });

  it("with a file where another needs a folder, or a file without a path beside others", () => {
    const files = (...paths: string[]): Uint8Array => {
      const shell = new ByteWriter().varint(paths.length);
      for (const path of paths) shell.text(path).u8(0).varint(0);
      return shell.finish();
    };
    for (const paths of [
      ["", "x"],
      ["x", ""],
      ["a", "a/b"],
      ["a/b/c", "a/b"],
      ["a/b/c", "a"],
    ]) {
      refused(() => read(files(...paths)), "CORRUPT", `${paths}`);
    }
    expect(read(files("a/b", "a/c", "ab", "a.b"))).toHaveLength(4);
  });

  it("with templates of more bytes than the caller's ceiling, in one or in all", () => {
    const body = new Uint8Array(5000).fill(65);
    const inner = new ByteWriter().u8(0).varint(body.length).bytes(body).finish();
    const stream = level9(inner);
    const files = (kind: number, count: number): Header => {
      const shell = new ByteWriter().varint(count);
      for (let i = 0; i < count; i++) {
        shell.text(`f${i}`).u8(kind).varint(inner.length);
        if (kind === 1) shell.varint(stream.length).bytes(stream);
        else shell.bytes(inner);
      }
      return headerWith(shell.finish());
    };
    for (const [kind, count] of [
      [0, 1],
      [1, 1],
      [0, 3],
      [1, 3],
    ]) {
      const bytes = count * inner.length;
      expect(readShell(files(kind, count), bytes)).toHaveLength(count);
      refused(() => readShell(files(kind, count), bytes - 1), "LIMIT", `template ${kind}, ${count} files`);
    }
  });

  it("with two files of a name", () => {
    const shell = new ByteWriter().varint(2).text("a").u8(0).varint(0).text("a").u8(0).varint(0).finish();
    refused(() => read(shell), "DUPLICATE");
  });

  it("with a template that is not known", () => {
    for (const kind of [3, 4, 255]) refused(() => read(new ByteWriter().varint(1).text("").u8(kind).varint(0).finish()), "UNSUPPORTED");
  });

  it("with pieces that are not known, or reserved bits", () => {
    for (const op of [3, 4, 6, 8, 16, 17, 33, 65, 129, 255]) {
      refused(() => read(plain(Uint8Array.of(op, 1, 0, 0, 0))), "CORRUPT", `op ${op}`);
    }
  });

  it("with a hole for a tensor that is not there", () => {
    refused(() => read(plain(Uint8Array.of(1, 3))), "CORRUPT");
    refused(() => read(plain(new ByteWriter().u8(1).varint(Number.MAX_SAFE_INTEGER))), "CORRUPT");
  });

  it("with a column-major hole for a tensor whose weights share bytes", () => {
    const packed = headerWith(plain(Uint8Array.of(1 | 8, 0)), [{ name: "p", dtype: "F4", shape: [2, 4] }]);
    refused(() => readShell(packed), "CORRUPT");
    expect(read(plain(Uint8Array.of(1 | 8, 0)))).toHaveLength(1);
  });

  it("with a zlib group of a wrong level, in another group, or with more pieces than there are", () => {
    for (const level of [0, 10, 255]) refused(() => read(plain(Uint8Array.of(2, level, 1, 0))), "CORRUPT", `level ${level}`);
    refused(() => read(plain(Uint8Array.of(2, 6, 1, 1, 2, 6, 1, 0))), "CORRUPT", "a group in a group");
    refused(() => read(plain(Uint8Array.of(2, 6, 1, 1))), "CORRUPT");
    refused(() => read(plain(Uint8Array.of(2, 6, 1, 3, 1, 0))), "CORRUPT", "more pieces than bytes");
    refused(() => read(plain(Uint8Array.of(2, 6, 1, 2, 1, 0))), "TRUNCATED");
    refused(
      () =>
        read(
          plain(
            new ByteWriter()
              .u8(2)
              .u8(6)
              .varint(1)
              .varint(2 ** 52)
              .u8(0)
              .u8(0),
          ),
        ),
      "CORRUPT",
    );
  });

  it("with a literal longer than what is left", () => {
    refused(() => read(plain(new ByteWriter().u8(0).varint(2 ** 52))), "TRUNCATED");
    refused(
      () =>
        read(
          new ByteWriter()
            .varint(1)
            .text("")
            .u8(0)
            .varint(2 ** 52)
            .finish(),
        ),
      "TRUNCATED",
    );
    refused(
      () =>
        read(
          new ByteWriter()
            .varint(1)
            .varint(2 ** 52)
            .finish(),
        ),
      "TRUNCATED",
    );
    refused(() => read(new ByteWriter().varint(2 ** 52).finish()), "TRUNCATED");
  });

  it("with a deflated template that asks for more than deflate can give", () => {
    const deflated = (byteLength: number, stream: Uint8Array): Uint8Array =>
      new ByteWriter().varint(1).text("").u8(1).varint(byteLength).varint(stream.length).bytes(stream).finish();
    const stream = level9(new Uint8Array(10));
    refused(() => read(deflated(1032 * stream.length + 1, stream)), "LIMIT");
    refused(() => read(deflated(2 ** 28 + 1, new Uint8Array(2 ** 19))), "LIMIT");
    refused(() => read(deflated(10, Uint8Array.of(0xff, 0xff))), "CORRUPT");
    refused(() => read(deflated(9, stream)), "CORRUPT");
    refused(() => read(deflated(11, stream)), "CORRUPT");
    refused(() => read(deflated(0, new Uint8Array(0))), "CORRUPT");
    refused(() => read(deflated(10, stream.subarray(0, -1))), "CORRUPT");
    refused(() => read(deflated(10, Uint8Array.of(...stream, 0))), "CORRUPT", "a byte after the stream");
  });

  it("with a safetensors file that cannot be", () => {
    const shell = (entries: number, ...texts: string[]): Uint8Array => {
      const out = new ByteWriter().varint(1).text("").u8(2).varint(entries);
      for (const text of texts) out.text(text);
      return out.finish();
    };
    refused(() => read(shell(3, "k", "v", "k", "w")), "DUPLICATE");
    refused(() => read(shell(2 ** 40)), "CORRUPT");
    refused(() => read(shell(2, "k")), "TRUNCATED");
    for (const tensor of [
      { name: "__metadata__", dtype: "F32", shape: [] },
      { name: "c", dtype: "C128", shape: [] },
    ] as const) {
      refused(() => readShell(headerWith(shell(0), [tensor])), "CORRUPT", tensor.name);
    }
  });
});

describe("the files of an archive", () => {
  const tensor = { ...floats("a", [2, 3], [1, 2, 3, 4, 5, 6]), coding: "raw" } as const;
  const withShell = (files: readonly FileTemplate[], deflate = keepPlain): Uint8Array =>
    archiveOf([{ ...tensor, record: craftRecord(tensor) }], writeShell(files, [tensor], deflate));
  const swapped = [0x3f, 0x80, 0, 0, 0x40, 0, 0, 0, 0x40, 0x40, 0, 0, 0x40, 0x80, 0, 0, 0x40, 0xa0, 0, 0, 0x40, 0xc0, 0, 0];

  it("have their holes filled in the order and byte order that they want", async () => {
    const files = await decompress(
      withShell([
        { path: "big", pieces: [hole(0, true)] },
        { path: "d/text", pieces: [literal("<>")] },
      ]),
    );
    expect(files[0]).toEqual({ path: "big", bytes: Uint8Array.from(swapped) });
    expect(files[1]).toEqual({ path: "d/text", bytes: Uint8Array.of(0x3c, 0x3e) });
    const [fortran] = await decompress(withShell([{ path: "", pieces: [literal("<"), hole(0, false, true), literal(">")] }]));
    const columns = new Uint8Array(floats("", [], [1, 4, 2, 5, 3, 6]).data);
    expect(fortran.bytes).toEqual(Uint8Array.of(0x3c, ...columns, 0x3e));
  });

  it("have their zlib groups deflated again", async () => {
    const stream = deflateRaw(Uint8Array.of(0x78, ...tensor.data), { level: 6 });
    const group: Piece = { kind: "deflate", level: 6, byteLength: stream.length, pieces: [literal("x"), hole(0)] };
    const [file] = await decompress(withShell([{ path: "", pieces: [literal("zip"), group] }], level9));
    expect(file.bytes).toEqual(Uint8Array.of(0x7a, 0x69, 0x70, ...stream));
  });

  it("without any are one safetensors file", async () => {
    const [file, ...more] = await decompress(withShell([]));
    expect(more).toEqual([]);
    expect(file.bytes).toEqual(Uint8Array.of(...safetensorsHeader([tensor]), ...tensor.data));
  });

  it("without any are UNSUPPORTED where no safetensors file can hold the tensors, which can be decoded and inspected", async () => {
    for (const other of [tensorOf("complex", "C128", [1], new Uint8Array(16).fill(1)), { ...tensor, name: "__metadata__" }]) {
      const archive = archiveOf([{ ...other, record: craftRecord({ ...other, coding: "raw" }) }]);
      await refusedLater(decompress(archive), "UNSUPPORTED");
      expect(decode(archive)).toMatchObject([{ name: other.name }]);
      expect((await inspect(archive)).file.sourceBytes).toBe(other.data.length);
    }
  });

  it("are refused where a deflated template does not hold what it says", async () => {
    const body = new Uint8Array(3000).fill(0x61);
    const shell = (byteLength: number): Uint8Array => {
      const inner = new ByteWriter().u8(0).varint(body.length).bytes(body).finish();
      const stream = level9(inner);
      return new ByteWriter().varint(1).text("").u8(1).varint(byteLength).varint(stream.length).bytes(stream).finish();
    };
    const archive = (byteLength: number): Uint8Array => archiveOf([{ ...tensor, record: craftRecord(tensor) }], shell(byteLength));
    expect((await decompress(archive(3003)))[0].bytes.length).toBe(3000);
    await refusedLater(decompress(archive(3002)), "CORRUPT");
    await refusedLater(decompress(archive(3004)), "CORRUPT");
  });
});
