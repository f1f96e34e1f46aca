import { expect, it } from "vitest";
import { decode } from "../../src/index.js";
import { compressModel } from "../../src/pipeline/compress.js";
import { memoryHost } from "../../src/pipeline/memory-host.js";
import { tensorsModel } from "../../src/pipeline/tensors.js";
import type { OpenModel } from "../../src/types.js";
import { floats } from "../archive/craft.js";
import { expectSame } from "../kernels/all.js";
import { Random } from "../random.js";

it("a template gets what comes back of a large tensor block by block, in one buffer", async () => {
  const weights = floats("w", [3, 2 ** 20], new Random(5).weights(3 * 2 ** 20));
  const chunks: Uint8Array[] = [];
  const buffers = new Set<ArrayBufferLike>();
  const model: OpenModel = {
    ...tensorsModel([weights]),
    async templates({ exact, bytes }) {
      expect(exact(0)).toBe(false);
      for await (const chunk of bytes(0)) {
        chunks.push(chunk.slice());
        buffers.add(chunk.buffer);
      }
      return [];
    },
  };
  const archive: Uint8Array[] = [];
  const recipe = { rules: [{ share: { bits: 2 as const } }] };
  await compressModel(model, async (bytes) => void archive.push(bytes), { recipe }, memoryHost);
  expect(chunks.length).toBe(3);
  expect(buffers.size).toBe(1);
  expectSame(new Uint8Array(Buffer.concat(chunks)), decode(new Uint8Array(Buffer.concat(archive)))[0].data);
});
