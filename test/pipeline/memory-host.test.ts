import { describe, expect, it } from "vitest";
import { concat } from "../../src/archive/bytes.js";
import { bytesSource } from "../../src/formats/bytes-source.js";
import { openModel } from "../../src/formats/index.js";
import { compress, PRESETS, type Preset } from "../../src/index.js";
import { type CompressOptions, compressModel } from "../../src/pipeline/compress.js";
import { memoryHost } from "../../src/pipeline/memory-host.js";
import { expectSame } from "../kernels/all.js";
import { FILES } from "./models.js";

async function compressedInMemory(file: Uint8Array, options: CompressOptions): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  const model = await openModel(bytesSource(file));
  await compressModel(model, async (chunk) => void chunks.push(chunk.slice()), options, memoryHost);
  return concat(chunks);
}

describe("a host without files or threads", () => {
  const cases = Object.keys(FILES).flatMap((name) => PRESETS.map((preset): [string, Preset] => [name, preset]));

  it.each(cases)("gives the archive of %s that Node gives, preset %s", async (name, preset) => {
    const { archive } = await compress(FILES[name], { preset });
    expectSame(await compressedInMemory(FILES[name], { preset }), archive);
  });

  it("stops when it is told to", async () => {
    const [file] = Object.values(FILES);
    await expect(compressedInMemory(file, { signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
  });
});
