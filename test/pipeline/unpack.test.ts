import { closeSync, openSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { archiveFiles } from "../../src/archive/files.js";
import { bytesSource } from "../../src/formats/bytes-source.js";
import { engineKernels } from "../../src/kernels/engine-kernels.js";
import { compress } from "../../src/pipeline/api.js";
import { openArchive } from "../../src/pipeline/archive.js";
import { Meter } from "../../src/pipeline/progress.js";
import { FileUnpacker, unpackHere } from "../../src/pipeline/unpack.js";

// A model so large that the disk is to begin before all of it is decoded: 9 blocks of 8 MiB.
const SHAPE = [9, 2 ** 20];

// A device takes what is written, and cannot be told to keep it: so fails a disk.
describe.skipIf(process.platform === "win32")("on a disk that fails while the rest is decoded", () => {
  let archive: Uint8Array;
  let fd: number;
  beforeAll(async () => {
    const tensor = { name: "zeros", dtype: "I64", shape: SHAPE, data: new Uint8Array(8 * 9 * 2 ** 20) } as const;
    ({ archive } = await compress([tensor], { preset: "exact", threads: 1 }));
    fd = openSync("/dev/null", "r+");
  });
  afterAll(() => closeSync(fd));

  async function unpack(bytes: Uint8Array): Promise<void> {
    const opened = await openArchive(bytesSource(bytes), engineKernels());
    const [file] = archiveFiles(opened);
    await new FileUnpacker(opened, new Meter(1, {}), unpackHere(opened)).write(file, fd);
  }

  it("the failure is not lost", async () => {
    await expect(unpack(archive)).rejects.toMatchObject({ syscall: "fdatasync" });
  });

  it("what is at fault in the archive is still said", async () => {
    const broken = archive.slice();
    broken[broken.length - 1] ^= 1;
    await expect(unpack(broken)).rejects.toMatchObject({ name: "FormatError", code: "CHECKSUM" });
  });
});
