import { expect, it } from "vitest";
import { tensorBlocks } from "../../src/codec/blocks.js";
import { Part } from "../../src/codec/part.js";
import { engineKernels } from "../../src/kernels/engine-kernels.js";
import { compressModel } from "../../src/pipeline/compress.js";
import type { Host, TensorPool } from "../../src/pipeline/host.js";
import { memoryHost } from "../../src/pipeline/memory-host.js";
import { tensorsModel } from "../../src/pipeline/tensors.js";
import type { OpenModel } from "../../src/types.js";
import { floats } from "../archive/craft.js";
import { Random } from "../random.js";

const BLOCKS = 5;
const WEIGHTS = floats("w", [BLOCKS, 2 ** 20], new Random(5).weights(BLOCKS * 2 ** 20));

/** What was done while a model was compressed, in order: r for a block that was read, a for one that the archive got. */
async function log(host: Host, changes: Partial<OpenModel>): Promise<string> {
  const done: string[] = [];
  const model = tensorsModel([WEIGHTS, { ...WEIGHTS, name: "v" }]);
  const logged: OpenModel = {
    ...model,
    ...changes,
    async read(tensor, offset, byteLength) {
      done.push("r");
      return model.read(tensor, offset, byteLength);
    },
  };
  const records: Host["records"] = () => {
    const store = host.records();
    return {
      add: async (pieces) => {
        done.push(..."a".repeat(pieces.length));
        await store.add(pieces);
      },
      read: (offset, byteLength) => store.read(offset, byteLength),
      copyTo: (sink) => store.copyTo(sink),
      close: () => store.close(),
    };
  };
  await compressModel(logged, async () => undefined, { preset: "exact" }, { ...host, records });
  return done.join("");
}

const AS_WRITTEN = new RegExp(`^(r+(ra){${BLOCKS}}){2}$`);

it("one thread gives a record away block by block, as it is written", async () => {
  expect(await log(memoryHost, {})).toMatch(AS_WRITTEN);
});

it("a tensor that is read in order is one part, and its record is given away block by block, too", async () => {
  const kernels = engineKernels();
  const never = () => Promise.reject(new Error("a tensor that is read in order is not divided, and its record not held"));
  const pool: TensorPool = {
    threadCount: 1,
    encode: never,
    divided: never,
    undivided: ({ tensor, read }, work) => work([new Part(kernels, tensor.dtype, tensorBlocks(tensor, read))]),
    close: async () => undefined,
  };
  const done = await log({ ...memoryHost, pool: () => pool }, { checkedInOrder: true });
  expect(done.match(/a/g)).toHaveLength(2 * BLOCKS);
  const ahead = done.slice(0, done.indexOf("a"));
  expect(ahead.length, "blocks read to be counted, and to be written ahead of the first").toBeLessThan(4 * BLOCKS);
});
