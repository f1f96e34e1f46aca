import { at, type Ptr } from "../../src/kernels/arena.js";
import { newEngine } from "../../src/kernels/engine.js";
import { panelBytes, TILE_BYTES, TILE_COLUMNS, TILE_ROWS } from "../../src/kernels/nn.js";
import { place, room } from "../kernels/task.js";
import { type Form, formHere } from "./form.js";
import type { Subject } from "./layers.js";

/** Rows that are packed at a time, whole panels of them: the dense weights are not twice in the module's memory. */
const SLICE_ROWS = 32 * TILE_COLUMNS;

/** The engine's matrix product, SIMD, with the weights packed beforehand. Its tiles have four rows: of a single sample three quarters of the work are for nothing. */
export function wasmDense({ layer: { inputs, outputs }, dense }: Subject, batches: readonly number[]): Form {
  const engine = newEngine();
  const { arena, exports } = engine;
  const most = Math.max(...batches);
  const tile = arena.alloc(TILE_BYTES);
  const from = arena.alloc(4 * most * inputs);
  const to = room(engine, 4 * most * outputs);
  const samples = arena.alloc(panelBytes(most, TILE_ROWS, inputs));
  const weights = arena.alloc(panelBytes(outputs, TILE_COLUMNS, inputs));
  for (let first = 0; first < outputs; first += SLICE_ROWS) {
    const rows = Math.min(SLICE_ROWS, outputs - first);
    const panels: Ptr = at(weights, 4 * first * inputs);
    arena.scope(() =>
      exports.packRows(place(engine, dense.subarray(first * inputs, (first + rows) * inputs)), rows, inputs, TILE_COLUMNS, panels),
    );
  }
  return formHere("WASM dense", outputs, (x, batch, y) => {
    arena.f32(from, x.length).set(x);
    exports.packRows(from, batch, inputs, TILE_ROWS, samples);
    exports.gemm(samples, weights, to, batch, outputs, inputs, outputs, 0, tile);
    y.set(arena.f32(to, y.length));
    return y;
  });
}
