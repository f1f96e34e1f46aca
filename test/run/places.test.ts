import { describe, expect, it } from "vitest";
import { WHOLE_NETWORKS } from "../../bench/whole/networks.js";
import type { Convolution } from "../../src/kernel-types.js";
import { convolutionOf, shapesOf } from "../../src/network/shapes.js";
import type { Conv2dSpec } from "../../src/network/spec.js";
import { offsetsOf, type Places, placesOf } from "../../src/run/network/places.js";
import { contiguous } from "../../src/run/network/planes.js";

type Layer = Omit<Conv2dSpec, "type" | "name">;

const of = (layer: Layer, height: number, width: number): Convolution =>
  convolutionOf({ ...layer, type: "conv2d", name: "c" }, [layer.in, height, width]);

const from = (layer: Layer, height: number, width: number): Places =>
  placesOf(contiguous([layer.in, height, width]), of(layer, height, width));

describe("the places of a convolution", () => {
  it.each([
    ["as wide as its input", { in: 1, out: 100, kernel: [3, 300] }, 50, 300, 1],
    ["almost as wide", { in: 1, out: 100, kernel: [3, 299] }, 50, 300, 2],
    ["of a stride", { in: 2, out: 400, kernel: [3, 33], stride: [1, 3], padding: [1, 0] }, 13, 40, 3],
    ["of groups, with padding", { in: 4, out: 400, kernel: [2, 29], padding: [1, 3], groups: 2 }, 16, 26, 4],
  ] as const)("have no more lanes than twice the outputs of one %s", (_, layer, height, width, outWidth) => {
    const { outputs, lanes } = from(layer, height, width);
    expect(outputs.width).toBe(outWidth);
    expect(outputs.pitch).toBeLessThanOrEqual(2 * outWidth - 1);
    expect(lanes).toBeLessThan(2 * outputs.height * outWidth + 16);
  });

  it("leave inputs as they are that are wide enough, and spread those that stand far apart for narrow ones", () => {
    const convolution = of({ in: 16, out: 16, kernel: 3 }, 12, 12);
    expect(placesOf(contiguous([16, 12, 12]), convolution).spread).toBe(false);
    const apart = { channels: 16, height: 12, width: 12, pitch: 40, stride: 480 };
    expect(placesOf(apart, convolution).inputs.pitch).toBe(12);
  });

  it("take no more than twice the memory that they take of a plane for all taps", () => {
    const taken = ({ inputs, outputs }: Places): number => inputs.channels * inputs.stride + outputs.channels * outputs.stride;
    for (const width of [20, 50, 100, 300]) {
      for (const outWidth of [1, 2, 5, 17]) {
        const whole = 50 * width + 300 * 48 * width;
        expect(taken(from({ in: 1, out: 300, kernel: [3, width - outWidth + 1] }, 50, width))).toBeLessThan(2.1 * whole);
      }
    }
  });

  it.each(WHOLE_NETWORKS.map(({ name, spec }) => [name, spec] as const))("of %s are planes for all taps of their phases", (_, spec) => {
    const shapes = shapesOf(spec);
    for (const [i, layer] of spec.layers.entries()) {
      if (layer.type !== "conv2d") continue;
      const convolution = convolutionOf(layer, shapes[i]);
      expect(placesOf(contiguous(shapes[i]), convolution).phases.right, layer.name).toBe(convolution.stride[1]);
    }
  });

  it("say how far is read at least as far as the last tap's lanes go", () => {
    for (const [layer, height, width] of [
      [{ in: 4, out: 60, kernel: [2, 29], padding: [1, 3], groups: 2 }, 6, 26],
      [{ in: 3, out: 4, kernel: [5, 7], stride: [3, 2] }, 20, 21],
      [{ in: 3, out: 5, kernel: 3 }, 7, 6],
    ] as const) {
      const convolution = of(layer, height, width);
      const places = from(layer, height, width);
      const last = offsetsOf(convolution, places).reduce((most, offset) => Math.max(most, offset), 0);
      expect(places.reads).toBeGreaterThanOrEqual((convolution.groups - 1) * places.perGroup + last + places.lanes);
    }
  });
});
