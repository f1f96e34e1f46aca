import { at, type Ptr } from "../../src/kernels/arena.js";
import { newEngine } from "../../src/kernels/engine.js";
import { panelBytes, TILE_BYTES, TILE_COLUMNS, TILE_ROWS } from "../../src/kernels/nn.js";
import { newRunner } from "../../src/kernels/runner.js";
import { place, room } from "../kernels/task.js";
import { type Form, Loop, type Step } from "./form.js";
import type { Subject } from "./layers.js";

// The dense layer by our own kernels, SIMD, the weights in the module's memory beforehand.

/** A sample at a time, by the kernel that runs tensors without shared weights. */
function byVector({ layer: { inputs, outputs }, dense }: Subject): Step {
  const { arena, exports } = newRunner();
  const weights = arena.alloc(dense.byteLength);
  arena.f32(weights, dense.length).set(dense);
  const [from, to] = [arena.alloc(4 * inputs), arena.alloc(4 * outputs)];
  return (x, _batch, y) => {
    arena.f32(from, inputs).set(x);
    const sums = arena.f32(to, outputs);
    sums.fill(0);
    exports.matvecDense(weights, from, inputs, outputs, to);
    y.set(sums);
    return y;
  };
}

/** Rows that are packed at a time, whole panels of them: the weights are not twice in the module's memory. */
const SLICE_ROWS = 32 * TILE_COLUMNS;

/** By the matrix product of training, the weights packed. */
function byProduct({ layer: { inputs, outputs }, dense }: Subject, batch: number): Step {
  const engine = newEngine();
  const { arena, exports } = engine;
  const tile = arena.alloc(TILE_BYTES);
  const from = arena.alloc(4 * batch * inputs);
  const to = room(engine, 4 * batch * outputs);
  const samples = arena.alloc(panelBytes(batch, TILE_ROWS, inputs));
  const weights = arena.alloc(panelBytes(outputs, TILE_COLUMNS, inputs));
  for (let first = 0; first < outputs; first += SLICE_ROWS) {
    const rows = Math.min(SLICE_ROWS, outputs - first);
    const panels: Ptr = at(weights, 4 * first * inputs);
    arena.scope(() =>
      exports.packRows(place(engine, dense.subarray(first * inputs, (first + rows) * inputs)), rows, inputs, TILE_COLUMNS, panels),
    );
  }
  return (x, _batch, y) => {
    arena.f32(from, x.length).set(x);
    exports.packRows(from, batch, inputs, TILE_ROWS, samples);
    exports.gemm(samples, weights, to, batch, outputs, inputs, outputs, 0, tile);
    y.set(arena.f32(to, y.length));
    return y;
  };
}

export function wasmDense(name: string, subject: Subject): Form {
  let loop: Loop | undefined;
  const fed = (): Loop => {
    if (loop === undefined) throw new Error(`${name} has no inputs`);
    return loop;
  };
  return {
    name,
    async feed(feed) {
      loop = new Loop(subject.layer.outputs, feed.batch === 1 ? byVector(subject) : byProduct(subject, feed.batch));
      loop.feed(feed);
    },
    time: async (calls) => fed().time(calls),
    outputs: async () => fed().outputs(),
    async close() {
      loop = undefined;
    },
  };
}
