import { compress } from "../../src/index.js";
import { fillNormal, normalState, pruneAndShare, seedOf } from "../corpus.js";

// The nine layers that EIE is timed on (Han et al., arXiv 1602.01528, table III), with synthetic weights and activations of their densities, the same on every run and every machine.

export interface RunLayer {
  readonly name: string;
  readonly inputs: number;
  readonly outputs: number;
  /** Survivors over weights. */
  readonly density: number;
  /** Activations that are not zero, over all: what ReLU leaves of the layer before. */
  readonly activations: number;
}

export const LAYERS: readonly RunLayer[] = [
  { name: "Alex-6", inputs: 9216, outputs: 4096, density: 0.09, activations: 0.351 },
  { name: "Alex-7", inputs: 4096, outputs: 4096, density: 0.09, activations: 0.353 },
  { name: "Alex-8", inputs: 4096, outputs: 1000, density: 0.25, activations: 0.375 },
  { name: "VGG-6", inputs: 25088, outputs: 4096, density: 0.04, activations: 0.183 },
  { name: "VGG-7", inputs: 4096, outputs: 4096, density: 0.04, activations: 0.375 },
  { name: "VGG-8", inputs: 4096, outputs: 1000, density: 0.23, activations: 0.411 },
  { name: "NT-We", inputs: 4096, outputs: 600, density: 0.1, activations: 1 },
  { name: "NT-Wd", inputs: 600, outputs: 8791, density: 0.11, activations: 1 },
  { name: "NT-LSTM", inputs: 1201, outputs: 2400, density: 0.1, activations: 1 },
];

/** 16 shared weights, as EIE has them. */
export const CODE_BITS = 4;

/** Layers whose names have one of the filters in them, whatever their case; all where there is no filter. */
export function layersFor(filters: readonly string[]): readonly RunLayer[] {
  if (filters.length === 0) return LAYERS;
  return LAYERS.filter(({ name }) => filters.some((filter) => name.toLowerCase().includes(filter.toLowerCase())));
}

/** Rows of survivors: those of row r are at starts[r] to starts[r + 1]. */
export interface Csr {
  readonly starts: Int32Array;
  readonly columns: Int32Array;
  readonly values: Float32Array;
}

/** A layer's weights in all the ways that forms take them: f32[outputs][inputs], CSR, and the one tensor of an archive. */
export interface Subject {
  readonly layer: RunLayer;
  readonly dense: Float32Array;
  readonly csr: Csr;
  readonly archive: Uint8Array;
}

/** What the tensor is called in the archive. */
export const TENSOR = "weight";

export async function subjectOf(layer: RunLayer): Promise<Subject> {
  const { name, inputs, outputs, density } = layer;
  const shape = [outputs, inputs];
  const dense = new Float32Array(inputs * outputs);
  fillNormal(dense, Math.sqrt(2 / inputs), normalState(seedOf({ name, shape })));
  pruneAndShare(dense, { density, bits: CODE_BITS });
  // Shared weights are kept exactly: every form has the same.
  const data = new Uint8Array(dense.buffer);
  const { archive } = await compress([{ name: TENSOR, dtype: "F32", shape, data }], { preset: "exact", threads: 1 });
  return { layer, dense, csr: csrOf(dense, outputs), archive };
}

export function csrOf(dense: Float32Array, rows: number): Csr {
  const inputs = dense.length / rows;
  const starts = new Int32Array(rows + 1);
  for (let row = 0, found = 0, i = 0; row < rows; row++) {
    for (const end = i + inputs; i < end; i++) if (dense[i] !== 0) found++;
    starts[row + 1] = found;
  }
  const columns = new Int32Array(starts[rows]);
  const values = new Float32Array(starts[rows]);
  for (let i = 0, to = 0; i < dense.length; i++) {
    if (dense[i] === 0) continue;
    columns[to] = i % inputs;
    values[to++] = dense[i];
  }
  return { starts, columns, values };
}

/** Inputs of runs: f32[count][batch][inputs]. Each run takes the next of them, so that no form can learn one by heart. */
export interface Feed {
  readonly batch: number;
  readonly count: number;
  readonly x: Float32Array;
}

/** Samples at a time, as in EIE's table. */
export const BATCHES: readonly number[] = [1, 64];

/** How many inputs there are for single samples; a batch has as many kinds in itself. */
const SINGLES = 8;

export function feedOf({ name, inputs, activations }: RunLayer, batch: number): Feed {
  const count = batch === 1 ? SINGLES : 1;
  const x = new Float32Array(count * batch * inputs);
  fillNormal(x, 1, normalState(seedOf({ name: `activations of ${name}`, shape: [batch, inputs] })));
  for (let from = 0; from < x.length; from += inputs) rectify(x.subarray(from, from + inputs), activations);
  return { batch, count, x };
}

/** Leaves so many of the values as ReLU would, above zero. */
function rectify(values: Float32Array, density: number): void {
  const kept = Math.round(density * values.length);
  if (kept === values.length) {
    for (let i = 0; i < values.length; i++) values[i] = Math.abs(values[i]) || 1;
    return;
  }
  const least = [...values].sort((a, b) => a - b)[values.length - kept - 1];
  for (let i = 0; i < values.length; i++) values[i] = Math.max(0, values[i] - least);
}
