import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { LENET_5 } from "../../examples/lenet-5.js";
import { LENET_300_100 } from "../../examples/lenet-300-100.js";
import { ROOT } from "../../scripts/wasm.mjs";

describe("the JSON of the example networks", () => {
  it.each([
    ["lenet-300-100", LENET_300_100],
    ["lenet-5", LENET_5],
  ])("is that of the network that is trained: %s", (name, spec) => {
    expect(JSON.parse(readFileSync(path.join(ROOT, `examples/models/${name}.json`), "utf8"))).toEqual(spec);
  });
});
