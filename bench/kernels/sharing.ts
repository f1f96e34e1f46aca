import { binnedPoints } from "../../src/codec/points.js";
import { startOf, withoutIdle } from "../../src/codec/start.js";
import type { Engine } from "../../src/kernels/engine.js";
import { fillNormal, normalState, pruneLayer, shareValues } from "../corpus.js";
import {
  assignCodes,
  centroidsByHistogram,
  centroidsByValues,
  HistogramWork,
  inertiaOf,
  MOST_ITERATIONS,
  midpointsOf,
  sumGradients,
} from "../js/kmeans.js";
import { FLOAT_BINS } from "../js/values.js";
import { layerOf } from "../networks.js";
import { type PreparedTask, place, type Runnable, rehearsed, room, SHORT, type Task } from "./task.js";

// Weight sharing: the survivors of AlexNet's fc6, 3.4 million of them, and 32 centroids from even steps.

const LAYER = layerOf("alexnet", "fc6");
const CENTROIDS = 32;
const BINS = 65536;

export function kmeansSurvivors(): Float32Array {
  return pruneLayer(LAYER).survivors;
}

/** As src/codec does it: a histogram, its bins as points, and Lloyd's iteration over them. */
export function wasmKmeans(engine: Engine, survivors: Float32Array): Runnable {
  const { arena, exports } = engine;
  const values = place(engine, survivors);
  const words = room(engine, 8 * FLOAT_BINS);
  const firsts = room(engine, 4 * FLOAT_BINS);
  const lows = room(engine, 8 * FLOAT_BINS);
  const points = room(engine, 8 * FLOAT_BINS);
  const weights = room(engine, 8 * FLOAT_BINS);
  const centroids = room(engine, 8 * CENTROIDS);
  const ends = room(engine, 4 * CENTROIDS);
  const weightSums = room(engine, 8 * (FLOAT_BINS + 1));
  const sums = room(engine, 8 * (FLOAT_BINS + 1));
  const taken = room(engine, FLOAT_BINS);
  arena.u8(words, 8 * FLOAT_BINS).fill(0);
  const iterations = new Uint32Array(1);
  return {
    run() {
      exports.binFloats(values, survivors.length, words);
      const n = exports.takeBins(words, firsts, weights, lows);
      const bins = { firsts: arena.u32(firsts, n), counts: arena.f64(weights, n), lows: arena.f64(lows, n) };
      const found = binnedPoints(bins);
      arena.f64(points, n).set(found.values);
      arena.f64(centroids, CENTROIDS).set(withoutIdle(found, startOf(found, CENTROIDS, {})));
      iterations[0] = exports.lloyd(points, weights, n, centroids, CENTROIDS, MOST_ITERATIONS, ends, weightSums, sums, taken);
    },
    outputs: () => [arena.f64(centroids, CENTROIDS), iterations],
  };
}

function jsKmeans(survivors: Float32Array): Runnable {
  const work = new HistogramWork(CENTROIDS);
  const iterations = new Uint32Array(1);
  let centroids = new Float64Array(CENTROIDS);
  return {
    run() {
      const result = centroidsByHistogram(survivors, CENTROIDS, work);
      centroids = result.centroids as Float64Array<ArrayBuffer>;
      iterations[0] = result.iterations;
    },
    outputs: () => [centroids, iterations],
  };
}

/** Plain Lloyd, as one writes k-means in JavaScript. */
function jsLloyd(survivors: Float32Array): Runnable {
  const iterations = new Uint32Array(1);
  let centroids = new Float64Array(CENTROIDS);
  return {
    run() {
      const result = centroidsByValues(survivors, CENTROIDS);
      centroids = result.centroids as Float64Array<ArrayBuffer>;
      iterations[0] = result.iterations;
    },
    outputs: () => [centroids, iterations],
  };
}

const kmeans: Task = {
  name: "k-means, 32 centroids",
  input: "AlexNet's fc6 pruned to 9 %, linear initialisation, to convergence",
  unit: "survivors",
  prepare(): PreparedTask {
    const survivors = kmeansSurvivors();
    const { centroids, iterations } = centroidsByHistogram(survivors, CENTROIDS);
    const wanted = { inertia: inertiaOf(survivors, centroids), iterations };
    return {
      count: survivors.length,
      bytes: 4 * survivors.length,
      js: rehearsed(jsKmeans(survivors), jsKmeans(survivors.subarray(0, SHORT))),
      wasm: (engine) => wasmKmeans(engine, survivors),
      native: { kernel: "kmeans", numbers: [CENTROIDS, MOST_ITERATIONS], inputs: [survivors] },
      other: {
        name: "JavaScript Lloyd",
        runnable: rehearsed(jsLloyd(survivors), jsLloyd(survivors.subarray(0, SHORT))),
        note([centroids, iterations]) {
          const inertia = inertiaOf(survivors, centroids as Float64Array);
          const away = 100 * (wanted.inertia / inertia - 1);
          return `inertia ${inertia.toFixed(4)} after ${iterations} iterations; the others: ${wanted.inertia.toFixed(4)} after ${wanted.iterations}, ${Math.abs(away).toFixed(3)} % ${away < 0 ? "less" : "more"}`;
        },
      },
    };
  },
};

const ASSIGNED = 1 << 20;

function jsAssign(survivors: Float32Array, midpoints: Float64Array): Runnable {
  const codes = new Uint8Array(survivors.length).fill(1);
  return { run: () => void assignCodes(survivors, midpoints, codes), outputs: () => [codes] };
}

const assign: Task = {
  name: "assign codes",
  input: "survivors to the nearest of 32 centroids",
  unit: "survivors",
  prepare(): PreparedTask {
    const survivors = kmeansSurvivors().slice(0, ASSIGNED);
    const midpoints = midpointsOf(shareValues(survivors, LAYER.bits).centroids);
    return {
      count: ASSIGNED,
      bytes: 5 * ASSIGNED,
      js: rehearsed(jsAssign(survivors, midpoints), jsAssign(survivors.subarray(0, SHORT), midpoints)),
      wasm(engine) {
        const { arena, exports } = engine;
        const values = place(engine, survivors);
        const between = place(engine, midpoints);
        const out = room(engine, ASSIGNED);
        const bounds = room(engine, 2 * BINS);
        return {
          run: () => exports.assign(values, ASSIGNED, between, midpoints.length, out, bounds),
          outputs: () => [arena.u8(out, ASSIGNED)],
        };
      },
      native: { kernel: "assign", numbers: [], inputs: [survivors, midpoints] },
    };
  },
};

function jsGradient(gradients: Float32Array, codes: Uint8Array): Runnable {
  const sums = new Float64Array(CENTROIDS);
  const out = new Float32Array(CENTROIDS);
  return { run: () => sumGradients(gradients, codes, sums, out), outputs: () => [out] };
}

const gradient: Task = {
  name: "codebook gradient",
  input: "gradients of weights summed over those that share one of 32 centroids",
  unit: "survivors",
  prepare(): PreparedTask {
    const { codes: all } = shareValues(kmeansSurvivors(), LAYER.bits);
    const codes = all.slice(0, ASSIGNED);
    const gradients = new Float32Array(ASSIGNED);
    fillNormal(gradients, 0.01, normalState(3));
    return {
      count: ASSIGNED,
      bytes: 5 * ASSIGNED,
      js: rehearsed(jsGradient(gradients, codes), jsGradient(gradients.subarray(0, SHORT), codes.subarray(0, SHORT))),
      wasm(engine) {
        const { arena, exports } = engine;
        const from = place(engine, gradients);
        const by = place(engine, codes);
        const sumsThere = room(engine, 8 * 256);
        const to = room(engine, 4 * CENTROIDS);
        return {
          run: () => exports.codebookGradient(from, by, ASSIGNED, CENTROIDS, sumsThere, to),
          outputs: () => [arena.f32(to, CENTROIDS)],
        };
      },
      native: { kernel: "codebook-gradient", numbers: [CENTROIDS], inputs: [gradients, codes] },
    };
  },
};

export const sharingTasks: readonly Task[] = [kmeans, assign, gradient];
