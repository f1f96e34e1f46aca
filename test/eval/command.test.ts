import { writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { fails, testFolder } from "../cli/cli.js";

const folder = testFolder();
const FILE = 3;

const write = (name: string, bytes: ArrayLike<number>): string => {
  const file = path.join(folder, name);
  writeFileSync(file, Uint8Array.from(bytes));
  return file;
};

const labels = write("labels.idx", [0, 0, 8, 1, 0, 0, 0, 1, 7]);

describe("coppice eval names the file that is at fault", () => {
  it.each([
    ["images", ["--images", write("images.idx", [0, 0, 8, 3, 0, 0])], /images\.idx: TRUNCATED at byte 6/],
    [
      "labels",
      ["--images", write("image.idx", [0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 5]), "--labels", write("cut.idx", [0])],
      /cut\.idx: TRUNCATED/,
    ],
    ["arrays", ["--inputs", labels], /labels\.idx: MAGIC|labels\.idx: TRUNCATED/],
  ])("of %s", async (_, args, says) => {
    expect(await fails(FILE, ["eval", labels, labels, ...args])).toMatch(says);
  });
});
