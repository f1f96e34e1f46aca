import { describe, expect, it } from "vitest";
import { LENET_5 } from "../../examples/lenet-5.js";
import { newRunner, type Runner } from "../../src/kernels/runner.js";
import { convolutionOf, shapesOf } from "../../src/network/shapes.js";
import type { LayerSpec, NetworkSpec } from "../../src/network/spec.js";
import { loadNetwork } from "../../src/run/index.js";
import { addSoftmax, addStage, type Loaded } from "../../src/run/network/layers.js";
import { Plan } from "../../src/run/network/plan.js";
import { contiguous } from "../../src/run/network/planes.js";
import { type Room, roomFor } from "../../src/run/network/room.js";
import { type Stage, stagesOf } from "../../src/run/network/stages.js";
import { Expected } from "./expected.js";
import { rowLinesOf } from "./helpers.js";
import { subjectOf } from "./networks.js";

const conv = (name: string, inputs: number, out: number, more: object): LayerSpec => ({
  ...({ type: "conv2d", name, in: inputs, out, kernel: 3 } as const),
  ...more,
});

const NETWORKS: Readonly<Record<string, NetworkSpec>> = {
  "LeNet-5": LENET_5,
  "linear layers": {
    layers: [
      { type: "relu" },
      { type: "linear", name: "fc1", in: 300, out: 1000 },
      { type: "batchnorm", name: "bn", features: 1000 },
      { type: "dropout", rate: 0.5 },
      { type: "linear", name: "fc2", in: 1000, out: 10 },
    ],
  },
  "layers of every kind": {
    input: [6, 31, 40],
    layers: [
      { type: "batchnorm", name: "bn1", features: 6 },
      conv("a", 6, 8, { kernel: 5, stride: [2, 3], padding: 4, groups: 2 }),
      { type: "relu" },
      conv("b", 8, 8, {}),
      { type: "localresponsenorm", size: 3 },
      { type: "averagepool2d", kernel: 2, stride: 1 },
      { type: "batchnorm", name: "bn2", features: 8 },
      { type: "relu" },
      conv("c", 8, 12, { padding: 1 }),
      { type: "maxpool2d", kernel: 3, stride: 2, ceil: true },
      { type: "dropout", rate: 0.1 },
      conv("d", 12, 5, { kernel: 1 }),
      { type: "flatten" },
    ],
  },
  "a narrow convolution": {
    input: [1, 20, 100],
    layers: [conv("a", 1, 50, { kernel: [3, 100] }), { type: "relu" }, { type: "maxpool2d", kernel: [18, 1] }, { type: "flatten" }],
  },
  "planes with a space between them": { input: [2, 9, 9], layers: [conv("a", 2, 4, {}), { type: "flatten" }] },
  "much padding": { input: [1, 2, 2], layers: [conv("a", 1, 2, { padding: 50 }), conv("b", 2, 2, {}), { type: "flatten" }] },
};

/** Zeros for what a stage reads of an archive. */
function loadedOf({ layer, shape }: Stage): Loaded {
  const dense = (rows: number, columns: number): Loaded => ({
    weights: rowLinesOf(new Expected(rows, columns, new Float32Array(rows * columns)), "scalar"),
    after: {},
  });
  if (layer.type === "linear") return dense(layer.out, layer.in);
  if (layer.type === "batchnorm")
    return { after: {}, affine: { scale: new Float32Array(layer.features), shift: new Float32Array(layer.features) } };
  if (layer.type !== "conv2d") return { after: {} };
  const { out, channels, groups, kernel } = convolutionOf(layer, shape);
  return dense(out, (channels / groups) * kernel[0] * kernel[1]);
}

/** What the steps of a network that runs reserve, and the memory that they then take. */
function reserved(runner: Runner, spec: NetworkSpec): { room: Room; taken: number } {
  const shapes = shapesOf(spec);
  const plan = new Plan(contiguous(shapes[0]));
  for (const stage of stagesOf(spec.layers, shapes)) addStage(plan, runner, stage, loadedOf(stage));
  addSoftmax(plan, runner);
  const before = runner.arena.top;
  plan.finish(runner);
  return { room: plan.room, taken: runner.arena.top - before };
}

function workedOut(spec: NetworkSpec): Room {
  const shapes = shapesOf(spec);
  return roomFor(stagesOf(spec.layers, shapes), shapes[0], Infinity);
}

describe("the room that activations take, by the shapes alone,", () => {
  it.each(Object.entries(NETWORKS))("is what the steps take: %s", (_, spec) => {
    const room = workedOut(spec);
    const found = reserved(newRunner(), spec);
    expect(room.byteLengths).toEqual(found.room.byteLengths);
    expect(room.planes).toEqual(found.room.planes);
    expect(room.byteLength).toBe(found.taken);
  });

  it.each(Object.entries(NETWORKS))("is what maxBytes allows, and no byte less: %s", async (_, spec) => {
    const { archive } = subjectOf(spec);
    const { byteLength } = workedOut(spec);
    await loadNetwork(archive, spec, { maxBytes: byteLength });
    await expect(loadNetwork(archive, spec, { maxBytes: byteLength - 1 })).rejects.toThrow(
      new RegExp(`^layers\\[\\d+\\] \\(\\w+\\) takes .* beyond maxBytes, ${byteLength - 1}: .* need ${byteLength} bytes$`),
    );
  });

  it("is known at once of shapes that no memory holds", () => {
    const spec: NetworkSpec = {
      input: [4096, 1, 1],
      layers: [conv("a", 4096, 1, { kernel: 16384, padding: 16380 }), { type: "maxpool2d", kernel: 16000 }, { type: "flatten" }],
    };
    expect(workedOut(spec).byteLength).toBeGreaterThan(2 ** 40);
  });
});
