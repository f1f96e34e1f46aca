import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { FormatErrorCode } from "../../src/errors.js";
import { fileSource, openNpz } from "../../src/formats/index.js";
import { readZip } from "../../src/formats/zip.js";
import { centralEntry, endRecords, storedLocalHeader } from "../../src/formats/zip-write.js";
import type { OpenModel } from "../../src/types.js";
import { dataFile, NO_DATA } from "../data.js";
import {
  acceptedOrRefused,
  ascii,
  concat,
  expectLadder,
  expectSame,
  floats,
  lendingSource,
  makeNpy,
  mutants,
  NO_NUMPY,
  npyOf,
  numpy,
  readAll,
  refused,
  restore,
} from "./helpers.js";
import { makeZip, type ZipMember, type ZipOptions } from "./zipfile.js";

const open = (bytes: Uint8Array): Promise<OpenModel> => openNpz(lendingSource(bytes));

const weights = floats(600);
const W = makeNpy("<f4", [20, 30], weights);
const COLUMNS = makeNpy(">f8", [3, 5], floats(30), true);
const TEXT = makeNpy("<U3", [2], floats(6));
const w: ZipMember = { name: "w.npy", data: W };

const LAYOUTS: Record<string, [members: ZipMember[], options?: ZipOptions]> = {
  "no members": [[]],
  "one stored": [[w]],
  "as numpy stores": [
    [
      { ...w, zip64: true },
      { name: "b.npy", data: COLUMNS, zip64: true },
    ],
  ],
  "as numpy deflates": [
    [
      { ...w, level: 6, zip64: true },
      { name: "b.npy", data: COLUMNS, level: 6, zip64: true },
    ],
  ],
  "level 1": [[{ ...w, level: 1 }]],
  "level 9": [[{ ...w, level: 9 }]],
  "deflated by another program": [
    [
      { ...w, foreign: { level: 6, memLevel: 3 } },
      { name: "b.npy", data: COLUMNS },
    ],
  ],
  "descriptors of 4 bytes": [
    [
      { ...w, descriptor: 4 },
      { ...w, name: "x.npy", level: 6, descriptor: 4 },
    ],
  ],
  "descriptors of 8 bytes, no signature": [
    [
      { ...w, descriptor: 8, descriptorSignature: false, zip64: true },
      { ...w, name: "x.npy" },
    ],
  ],
  "zip64 everywhere": [
    [
      { ...w, zip64: true, centralZip64: true },
      { ...w, name: "x.npy", level: 6, centralZip64: true },
    ],
    { zip64: true },
  ],
  "other members, strings, comments, extras, gaps": [
    [
      { name: "read.me", data: ascii("hello"), comment: "hi" },
      { name: "text.npy", data: TEXT, level: 9 },
      { ...w, level: 6, extra: Uint8Array.of(9, 9, 2, 0, 1, 2), comment: "the weights", gap: ascii("gap") },
      { name: "objects.npy", data: npyOf("{'descr': '|O', 'fortran_order': False, 'shape': (), }", ascii("pickle")) },
      { name: "é.npy", data: COLUMNS, gap: ascii("another gap") },
      { name: "folder/", data: new Uint8Array(0) },
    ],
    { comment: "a zip with everything" },
  ],
};

describe("openNpz", () => {
  it("lists the arrays of numbers, in the order of the file", async () => {
    const model = await open(makeZip(...LAYOUTS["other members, strings, comments, extras, gaps"]));
    expect(model.tensors).toEqual([
      { name: "w", dtype: "F32", shape: [20, 30] },
      { name: "é", dtype: "F64", shape: [3, 5] },
    ]);
  });

  describe.each(Object.keys(LAYOUTS))("of %s", (title) => {
    const file = makeZip(...LAYOUTS[title]);

    it("comes back byte for byte", async () => {
      const model = await open(file);
      for (const [i, { name }] of model.tensors.entries()) if (name === "w" || name === "x") expectSame((await readAll(model))[i], weights);
      expectSame(await restore(model), file);
    });

    it("opens again with other weights where they did not come back exactly", async () => {
      const count = (await open(file)).tensors.length;
      for (let mask = 1; mask < 1 << count; mask++) {
        const model = await open(file);
        const wanted = await readAll(model);
        const changed = new Map<number, Uint8Array>();
        for (let i = 0; i < count; i++) if (mask & (1 << i)) changed.set(i, (wanted[i] = wanted[i].map((byte) => byte & 0xf0)));
        const again = await open(await restore(model, changed));
        expect(again.tensors).toEqual(model.tensors);
        const bytes = await readAll(again);
        for (let i = 0; i < count; i++) expectSame(bytes[i], wanted[i]);
        expectSame(await restore(again), await restore(model, changed));
      }
    });
  });

  it("takes the weights out of a deflated member, at every level", async () => {
    for (let level = 1; level <= 9; level++) {
      const model = await open(makeZip([{ ...w, level }]));
      const [{ pieces }] = await model.templates({ exact: () => true, bytes: () => (async function* () {})() });
      expect(pieces.map(({ kind }) => kind)).toEqual(["bytes", "deflate", "bytes"]);
    }
  });

  it.each([{ ...w }, { ...w, level: 6, zip64: true }, { ...w, level: 6, descriptor: 4 } as const])(
    "refuses every truncation and one byte more",
    (member) => expectLadder(makeZip([{ ...member, data: makeNpy("<f4", [3], floats(3)) }]), open),
  );

  it("refuses every truncation of a zip64 file", () =>
    expectLadder(makeZip([{ ...w, data: makeNpy("<f4", [3], floats(3)), centralZip64: true }], { zip64: true }), open));

  const bomb = (size: number): ZipMember => ({ ...w, level: 9, size, centralZip64: true });
  const flagged = (flags: number): ZipMember => ({ ...w, flags });
  const patch = (file: Uint8Array, find: number[], at: number, ...values: number[]): Uint8Array => {
    const start = Buffer.from(file).lastIndexOf(Buffer.from(find));
    const patched = file.slice();
    patched.set(values, start + at);
    return patched;
  };
  const LOCAL = [0x50, 0x4b, 3, 4];
  const END = [0x50, 0x4b, 5, 6];
  const END64 = [0x50, 0x4b, 6, 6];
  const LOCATOR = [0x50, 0x4b, 6, 7];

  const REFUSED: [rule: string, code: FormatErrorCode, file: Uint8Array][] = [
    ["a zip without arrays", "MAGIC", makeZip([{ name: "a.txt", data: ascii("a") }])],
    ["an encrypted member", "UNSUPPORTED", makeZip([flagged(1)])],
    ["patch data", "UNSUPPORTED", makeZip([flagged(0x20)])],
    ["masked headers", "UNSUPPORTED", makeZip([flagged(0x2000)])],
    ["another compression", "UNSUPPORTED", makeZip([{ ...w, method: 14 }])],
    ["two members of one name", "DUPLICATE", makeZip([w, w])],
    ["a member on another disk", "UNSUPPORTED", makeZip([{ ...w, disk: 1 }])],
    ["an archive of several volumes", "UNSUPPORTED", makeZip([w], { disk: 1 })],
    ["a zip64 archive of several volumes", "UNSUPPORTED", makeZip([w], { disk: 1, zip64: true })],
    ["stored sizes that differ", "CORRUPT", makeZip([{ ...w, size: W.length + 1 }])],
    ["a stored size that lies", "CORRUPT", makeZip([{ ...w, size: 1 << 30, compressedSize: 1 << 30 }])],
    ["a compressed size that lies", "CORRUPT", makeZip([{ ...w, level: 6, compressedSize: 1 << 20 }])],
    ["a size that deflate cannot reach", "CORRUPT", makeZip([bomb(2 ** 40)])],
    ["an array longer than its member", "TRUNCATED", makeZip([{ ...w, data: W.subarray(0, W.length - 1) }])],
    ["an array shorter than its member", "TRAILING", makeZip([{ ...w, data: concat(W, ascii("x")) }])],
    ["a deflated array shorter than its member", "TRAILING", makeZip([{ ...w, data: concat(W, ascii("x")), level: 6 }])],
    ["a .npy member that is none", "MAGIC", makeZip([{ ...w, data: ascii("not an array at all") }])],
    ["a deflated .npy member that is none", "MAGIC", makeZip([{ ...w, data: ascii("not an array at all"), level: 6 }])],
    ["members that share bytes", "CORRUPT", makeZip([w, { ...w, name: "x.npy", localOffset: 0 }])],
    [
      "a member behind the directory, after a long one",
      "CORRUPT",
      makeZip([
        { ...w, extra: new Uint8Array(9), localOffset: 1 << 20 },
        { ...w, name: "x.npy" },
      ]),
    ],
    ["a member behind the directory", "CORRUPT", makeZip([{ ...w, localOffset: 1 << 20 }])],
    ["a local header with another name", "CORRUPT", makeZip([{ ...w, localName: "v.npy" }])],
    ["a local header with another method", "CORRUPT", patch(makeZip([w]), LOCAL, 8, 8)],
    ["a local header with another CRC-32", "CORRUPT", patch(makeZip([w]), LOCAL, 14, 0, 0, 0, 0)],
    ["a local header with another size", "CORRUPT", patch(makeZip([w]), LOCAL, 22, 0, 0, 0, 0)],
    ["no local header", "CORRUPT", patch(makeZip([w]), LOCAL, 0, 0)],
    ["a descriptor that differs", "CORRUPT", patch(makeZip([{ ...w, descriptor: 4 }]), [0x50, 0x4b, 7, 8], 8, 0)],
    ["a name that is not UTF-8", "CORRUPT", makeZip([{ ...w, name: Uint8Array.of(0xff), flags: 0x800 }])],
    ["an extra field that does not end", "CORRUPT", makeZip([{ ...w, extra: Uint8Array.of(9, 9, 200, 0) }])],
    ["two zip64 fields", "CORRUPT", makeZip([{ ...w, centralZip64: true, extra: Uint8Array.of(1, 0, 0, 0) }])],
    ["one member too many", "CORRUPT", makeZip([w], { count: 2 })],
    ["one member too few", "CORRUPT", makeZip([w, { ...w, name: "x.npy" }], { count: 1 })],
    ["four thousand million members", "CORRUPT", makeZip([w], { count: 2 ** 32, zip64: true })],
    ["a directory at another place", "CORRUPT", makeZip([w], { centralOffset: 0 })],
    ["a directory longer than the file", "CORRUPT", makeZip([w], { centralSize: 1 << 24 })],
    ["a directory of a terabyte", "LIMIT", makeZip([w], { centralSize: 2 ** 40, zip64: true })],
    ["a zip64 field of 2^53", "LIMIT", patch(makeZip([w], { zip64: true }), END64, 40, 0, 0, 0, 0, 0, 0, 32, 0)],
    ["two end records that differ", "CORRUPT", patch(makeZip([w], { zip64: true }), END, 10, 2, 0)],
    ["a locator that points nowhere", "CORRUPT", patch(makeZip([w], { zip64: true }), LOCATOR, 8, 0, 0, 0, 0)],
    ["a locator that points behind itself", "CORRUPT", patch(makeZip([w], { zip64: true }), LOCATOR, 8, 255, 255, 255)],
    ["a zip64 end record of another length", "CORRUPT", patch(makeZip([w], { zip64: true }), END64, 4, 45)],
    ["a comment that does not end", "TRUNCATED", patch(makeZip([w]), END, 20, 9)],
    ["no directory", "TRUNCATED", makeZip([w]).subarray(0, 500)],
    ["nothing", "TRUNCATED", new Uint8Array(0)],
  ];

  it.each(REFUSED)("refuses %s", async (_, code, file) => void (await refused(open(file), code)));

  it.each<[string, FormatErrorCode, ZipMember]>([
    ["a CRC-32 that does not match", "CHECKSUM", { ...w, crc: 1 }],
    ["a CRC-32 of a deflated member that does not match", "CHECKSUM", { ...w, crc: 1, level: 6 }],
    ["a deflate stream longer than it says", "CORRUPT", { ...w, level: 6, data: concat(W, new Uint8Array(1)), size: W.length }],
    ["a deflate stream that ends before the member", "CORRUPT", { ...w, level: 6, compressed: concat(makeDeflated(), ascii("x")) }],
  ])("refuses %s when the array is read", async (_, code, member) => {
    const model = await open(makeZip([member]));
    await refused(readAll(model), code);
  });

  /** One stored block, as deflate has it. */
  function makeDeflated(): Uint8Array {
    const { length } = W;
    return concat(Uint8Array.of(1, length & 255, length >> 8, ~length & 255, (~length >> 8) & 255), W);
  }

  it("reads any range, without the CRC-32 of what is not read through", async () => {
    for (const level of [0, 6]) {
      const model = await open(makeZip([{ ...w, level }]));
      expectSame(await model.read(0, 40, 12), weights.subarray(40, 52));
      expectSame(await model.read(0, 2396, 4), weights.subarray(2396));
      expectSame(await model.read(0, 0, 2400), weights);
      await expect(model.read(0, 2397, 4)).rejects.toThrow(RangeError);
      await expect(model.read(1, 0, 1)).rejects.toThrow(RangeError);
    }
  });

  it("names a member without the UTF-8 flag by code page 437, as numpy does", async () => {
    const model = await open(makeZip([{ ...w, name: Uint8Array.of(0x82, 0xe3, 0x2e, 0x6e, 0x70, 0x79) }]));
    expect(model.tensors[0].name).toBe("éπ");
  });

  it("takes names that JavaScript objects have", async () => {
    const file = makeZip(["__proto__.npy", "constructor.npy", ".npy"].map((name) => ({ ...w, name })));
    expect((await open(file)).tensors.map(({ name }) => name)).toEqual(["__proto__", "constructor", ""]);
    expectSame(await restore(await open(file)), file);
  });

  it("gives nothing but a FormatError for mutants, and accepted ones back byte for byte", async () => {
    const tiny: ZipMember = { ...w, data: makeNpy("<f4", [3], floats(3)) };
    const files = [
      makeZip([tiny, { ...tiny, name: "x.npy", level: 6, zip64: true }]),
      makeZip(
        [
          { ...tiny, descriptor: 8, zip64: true, centralZip64: true },
          { name: "t.npy", data: TEXT, level: 1 },
        ],
        { zip64: true, comment: "c" },
      ),
    ];
    let accepted = 0;
    for (const file of files) for (const mutant of mutants(file, 2500, 3)) if (await acceptedOrRefused(mutant, open)) accepted++;
    expect(accepted).toBeGreaterThan(0);
    expect(accepted).toBeLessThan(5000);
  });

  it("takes the weights out of the reference data of a face detector, and gives it back byte for byte", async (context) => {
    const file = dataFile("ultraface/version-RFB-320.reference_io.npz");
    if (!file) return context.skip(NO_DATA);
    const model = await openNpz(await fileSource(file));
    expect(model.tensors).toEqual([
      { name: "input", dtype: "F32", shape: [1, 3, 240, 320] },
      { name: "scores", dtype: "F32", shape: [1, 4420, 2] },
      { name: "boxes", dtype: "F32", shape: [1, 4420, 4] },
    ]);
    expectSame(await restore(model), new Uint8Array(readFileSync(file)));
    const [{ pieces }] = await model.templates({ exact: () => true, bytes: () => (async function* () {})() });
    expect(pieces.filter(({ kind }) => kind === "deflate")).toHaveLength(3);
    await model.close();
  });

  it("gives what numpy writes back byte for byte, and numpy reads what comes back changed", async (context) => {
    const folder = mkdtempSync(path.join(tmpdir(), "coppice-npz-"));
    try {
      const made = numpy(
        `import sys, io, numpy as np
d = sys.argv[1]
g = np.random.default_rng(1)
arrays = dict(a=(g.standard_normal((40, 50)) * 8).round().astype("f4"), f=np.asfortranarray(g.integers(0, 9, (6, 7))), b=np.arange(9, dtype=">i4"),
  e=np.zeros((0, 4)), s=np.array(["x", "yz"]), scalar=np.float16(3))
np.savez(d + "/stored.npz", **arrays)
np.savez_compressed(d + "/deflated.npz", **arrays)
np.savez(d + "/empty.npz")
class Pipe(io.RawIOBase):
    def __init__(self): self.all = b""
    def writable(self): return True
    def seekable(self): return False
    def write(self, b): self.all += bytes(b); return len(b)
p = Pipe()
np.savez(p, **arrays)
open(d + "/piped.npz", "wb").write(p.all)
print("stored deflated empty piped")`,
        folder,
      );
      if (made === undefined) return context.skip(NO_NUMPY);
      for (const name of made.trim().split(" ")) {
        const bytes = new Uint8Array(readFileSync(path.join(folder, `${name}.npz`)));
        const model = await open(bytes);
        expect(model.tensors.map((tensor) => tensor.name)).toEqual(name === "empty" ? [] : ["a", "f", "b", "e", "scalar"]);
        expectSame(await restore(model), bytes);
        if (name === "empty") continue;
        const originals = await readAll(model);
        const changed = new Map([0, 1, 2].map((i) => [i, originals[i].map((byte) => byte & 0xf0)]));
        writeFileSync(path.join(folder, `${name}.changed.npz`), await restore(model, changed));
        for (const [i, all] of changed) writeFileSync(path.join(folder, `${name}.${model.tensors[i].name}.raw`), all);
      }
      const report = numpy(
        `import sys, zipfile, numpy as np
d = sys.argv[1]
for name in ["stored", "deflated", "piped"]:
    file = f"{d}/{name}.changed.npz"
    assert zipfile.ZipFile(file).testzip() is None
    z = np.load(file)
    o = np.load(f"{d}/{name}.npz")
    for k in o.files:
        assert z[k].dtype == o[k].dtype and z[k].shape == o[k].shape, k
        little = z[k].astype(z[k].dtype.newbyteorder("<"))
        if k in "afb": assert little.tobytes() == open(f"{d}/{name}.{k}.raw", "rb").read(), k
        else: assert (z[k] == o[k]).all(), k
print("read")`,
        folder,
      );
      expect(report).toBe("read\n");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("endRecords", () => {
  const end = makeZip([]);

  it("adds zip64 records where a moved directory passes 4 GiB", () => {
    const records = endRecords(end, false, 3, 2 ** 32 + 5, 300);
    const view = new DataView(records.buffer);
    expect(records).toHaveLength(56 + 20 + 22);
    expect(view.getBigUint64(48, true)).toBe(2n ** 32n + 5n);
    expect(view.getBigUint64(40, true)).toBe(300n);
    expect(view.getBigUint64(32, true)).toBe(3n);
    expect(view.getBigUint64(56 + 8, true)).toBe(2n ** 32n + 305n);
    expect(view.getUint32(76 + 16, true)).toBe(0xffffffff);
    expect(view.getUint32(76 + 12, true)).toBe(300);
  });

  it("leaves them out where it does not", () => {
    const records = endRecords(end, false, 0, 1000, 300);
    expect(records).toHaveLength(22);
    expect(new DataView(records.buffer).getUint32(16, true)).toBe(1000);
  });
});

describe("a member that passes 4 GiB", () => {
  const size = 2 ** 33;

  it("has its sizes in a zip64 field of the local header", () => {
    const file = makeZip([{ ...w, level: 6, zip64: true, descriptor: 8, extra: Uint8Array.of(9, 9, 2, 0, 1, 2) }]);
    const dataOffset = 30 + "w.npy".length + 20 + 6;
    const header = storedLocalHeader(file.subarray(0, dataOffset), 0x12345678, size);
    const view = new DataView(header.buffer);
    expect(header).toHaveLength(dataOffset);
    expect([view.getUint16(4, true), view.getUint16(6, true), view.getUint16(8, true)]).toEqual([45, 0, 0]);
    expect([view.getUint32(14, true), view.getUint32(18, true), view.getUint32(22, true)]).toEqual([0x12345678, 0xffffffff, 0xffffffff]);
    expect([view.getBigUint64(39, true), view.getBigUint64(47, true)]).toEqual([BigInt(size), BigInt(size)]);
    expect([...header.subarray(55)]).toEqual([9, 9, 2, 0, 1, 2]);
  });

  it("has what is too long in a zip64 field of the directory, and the rest not", async () => {
    const { entries } = await readZip(lendingSource(makeZip([{ ...w, comment: "a comment" }])));
    const { method, crc, compressedSize } = entries[0];
    const central = centralEntry(entries[0], { method, crc, compressedSize, localOffset: size });
    const view = new DataView(central.buffer);
    expect(central).toHaveLength(46 + 5 + 12 + 9);
    expect([view.getUint32(20, true), view.getUint32(24, true), view.getUint32(42, true)]).toEqual([W.length, W.length, 0xffffffff]);
    expect([view.getUint16(51, true), view.getUint16(53, true), view.getBigUint64(55, true)]).toEqual([1, 8, BigInt(size)]);
    expect(Buffer.from(central.subarray(63)).toString()).toBe("a comment");
    expect(centralEntry(entries[0], { method, crc, compressedSize, localOffset: 0 })).toBe(entries[0].central);
  });

  it("has no room where the extra fields are full", () => {
    const file = makeZip([{ ...w, extra: concat(Uint8Array.of(9, 9, 0xf8, 0xff), new Uint8Array(0xfff8)) }]);
    expect(() => storedLocalHeader(file.subarray(0, 30 + 5 + 0xfffc), 0, size)).toThrow(/no room/);
  });
});

describe("tensors of a .npz read side by side", () => {
  const second = makeNpy("<f4", [20, 30], floats(600));
  const zip = makeZip([w, { name: "v.npy", data: second }]);
  const inTurns = async (bytes: Uint8Array): Promise<void> => {
    const model = await open(bytes);
    for (let at = 0; at < 2400; at += 800) for (const tensor of [0, 1]) await model.read(tensor, at, 800);
  };

  it("each have their checksum looked at", async () => {
    await inTurns(zip);
    for (const place of [400, zip.length - 600]) {
      const flipped = zip.slice();
      flipped[place] ^= 1;
      await expect(inTurns(flipped), `byte ${place}`).rejects.toMatchObject({ code: "CHECKSUM" });
    }
  });
});
