import { expect, it } from "vitest";
import { compressModel } from "../../src/pipeline/compress.js";
import { memoryHost } from "../../src/pipeline/memory-host.js";
import { tensorsModel } from "../../src/pipeline/tensors.js";
import { floats } from "../archive/craft.js";

it("a model of any format is refused, and nothing of it written, where two of its tensors have one name", async () => {
  const model = tensorsModel([floats("v", [4], [1, 2, 3, 4]), floats("w", [4], [1, 2, 3, 4])]);
  const written: Uint8Array[] = [];
  const sink = async (bytes: Uint8Array): Promise<void> => void written.push(bytes);
  const compressed = (names: readonly string[]) =>
    compressModel({ ...model, tensors: model.tensors.map((tensor, i) => ({ ...tensor, name: names[i] })) }, sink, {}, memoryHost);
  await expect(compressed(["w", "w"])).rejects.toMatchObject({ name: "FormatError", code: "DUPLICATE" });
  expect(written).toEqual([]);
  expect((await compressed(["v", "w"])).tensors).toHaveLength(2);
});
