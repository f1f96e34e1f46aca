import { describe, expect, it } from "vitest";
import { patience, reached } from "../../src/kernels/answers.js";

const counters = (): Int32Array => new Int32Array(new SharedArrayBuffer(8));

describe("waiting for other threads", () => {
  it.each([0, 0.05])("ends at once where the counter is there, turning for %d ms", (turnMs) => {
    const control = counters();
    control[1] = 3;
    expect(reached(control, 1, 3, 60_000, turnMs)).toBe(true);
  });

  it.each([0, 0.05, 5])("ends without it when the time is over, turning for %d ms", (turnMs) => {
    const control = counters();
    const start = performance.now();
    expect(reached(control, 0, 1, 10, turnMs)).toBe(false);
    expect(performance.now() - start).toBeGreaterThanOrEqual(9);
  });

  it("has patience for a multiple of what the share of this thread took", () => {
    expect(patience(0)).toBeGreaterThan(1000);
    expect(patience(60_000)).toBeGreaterThan(10 * 60_000);
  });
});
