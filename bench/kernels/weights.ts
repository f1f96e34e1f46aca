import type { Engine } from "../../src/kernels/engine.js";
import { denseWeights, pruneAndShare, thresholdFor } from "../corpus.js";
import { compactElements, pruneWeights, type SurvivorRoom, survivorRoom } from "../js/prune.js";
import { FLOAT_BINS, FloatBinWork, histogramOfFloats, histogramOfMagnitudes, statistics } from "../js/values.js";
import { layerOf } from "../networks.js";
import { bitsOf, type JavaScriptRunnable, type PreparedTask, place, type Runnable, rehearsed, room, SHORT, type Task } from "./task.js";

// What is done to every weight of a tensor: one block of AlexNet's fc7.

const COUNT = 1 << 20;
const BINS = 65536;
const LAYER = layerOf("alexnet", "fc7");

function block(): { weights: Float32Array; threshold: number } {
  const all = denseWeights(LAYER);
  return { weights: all.slice(0, COUNT), threshold: thresholdFor(all, LAYER.density) };
}

function sharedBlock(): Float32Array {
  const all = denseWeights(LAYER);
  pruneAndShare(all, LAYER);
  return all.slice(0, COUNT);
}

const prune: Task = {
  name: "prune and compact, 9 % density",
  input: "one block of float32 weights to gaps and survivors",
  unit: "weights",
  prepare(): PreparedTask {
    const { weights, threshold } = block();
    const [thresholdBits] = bitsOf(Float32Array.of(threshold));
    const js = jsSurvivors(weights, (bits, to) => pruneWeights(bits, thresholdBits, to));
    js.run();
    return {
      count: COUNT,
      bytes: 4 * COUNT + byteLengthOf(js),
      js,
      wasm: (engine) => wasmSurvivors(engine, weights, (values, gaps, out) => engine.exports.prune(values, COUNT, threshold, gaps, out)),
      native: { kernel: "prune", numbers: [threshold], inputs: [weights] },
    };
  },
};

const compact: Task = {
  name: "compact, 9 % density",
  input: "one block of pruned, shared weights to gaps and survivors",
  unit: "weights",
  prepare(): PreparedTask {
    const weights = sharedBlock();
    const js = jsSurvivors(weights, compactElements);
    js.run();
    return {
      count: COUNT,
      bytes: 4 * COUNT + byteLengthOf(js),
      js,
      wasm: (engine) => wasmSurvivors(engine, weights, (elements, gaps, out) => engine.exports.compact(elements, COUNT, 4, gaps, out)),
      native: { kernel: "compact", numbers: [], inputs: [weights] },
    };
  },
};

function byteLengthOf(runnable: Runnable): number {
  return runnable.outputs().reduce((sum, { byteLength }) => sum + byteLength, 0);
}

type Address = ReturnType<typeof place>;

function jsSurvivors(weights: Float32Array, find: (bits: Int32Array, to: SurvivorRoom) => number): JavaScriptRunnable {
  const survivorsOf = (some: Float32Array): Runnable => {
    const bits = bitsOf(some);
    const to = survivorRoom(some.length);
    for (const array of Object.values(to)) array.fill(1);
    let found = 0;
    return {
      run() {
        found = find(bits, to);
      },
      outputs: () => [to.gaps.subarray(0, found), to.values.subarray(0, found)],
    };
  };
  return rehearsed(survivorsOf(weights), survivorsOf(weights.subarray(0, SHORT)));
}

function wasmSurvivors(engine: Engine, weights: Float32Array, find: (values: Address, gaps: Address, out: Address) => number): Runnable {
  const values = place(engine, weights);
  const gaps = room(engine, 4 * COUNT);
  const out = room(engine, 4 * COUNT);
  let found = 0;
  return {
    run() {
      found = find(values, gaps, out);
    },
    outputs: () => [engine.arena.u32(gaps, found), engine.arena.u32(out, found)],
  };
}

function jsStats(weights: Float32Array): Runnable {
  const bits = bitsOf(weights);
  const out = new Float64Array(4);
  return { run: () => statistics(weights, bits, out), outputs: () => [out] };
}

const stats: Task = {
  name: "statistics",
  input: "sums, squares, zeros and what is not finite",
  unit: "weights",
  prepare(): PreparedTask {
    const { weights } = block();
    return {
      count: COUNT,
      bytes: 4 * COUNT,
      js: rehearsed(jsStats(weights), jsStats(weights.subarray(0, SHORT))),
      wasm(engine) {
        const values = place(engine, weights);
        const sums = room(engine, 32);
        return { run: () => engine.exports.stats(values, COUNT, sums), outputs: () => [engine.arena.f64(sums, 4)] };
      },
      native: { kernel: "stats", numbers: [], inputs: [weights] },
    };
  },
};

function jsMagnitudes(weights: Float32Array): Runnable {
  const bits = bitsOf(weights);
  const counts = new Int32Array(BINS);
  return { run: () => void histogramOfMagnitudes(bits, 0, 0, counts), outputs: () => [counts] };
}

const magnitudes: Task = {
  name: "histogram of magnitudes",
  input: "the first step of an exact threshold",
  unit: "weights",
  prepare(): PreparedTask {
    const { weights } = block();
    return {
      count: COUNT,
      bytes: 4 * COUNT,
      js: rehearsed(jsMagnitudes(weights), jsMagnitudes(weights.subarray(0, SHORT))),
      wasm(engine) {
        const values = place(engine, weights);
        const bins = room(engine, 4 * BINS);
        const zeros = engine.arena.u32(bins, BINS);
        return {
          run() {
            zeros.fill(0);
            engine.exports.magnitudeHistogram(values, COUNT, 0, 0, bins);
          },
          outputs: () => [engine.arena.u32(bins, BINS)],
        };
      },
      native: { kernel: "magnitude-histogram", numbers: [], inputs: [weights] },
    };
  },
};

function jsFloats(weights: Float32Array): Runnable {
  const bits = bitsOf(weights);
  const work = new FloatBinWork();
  let found = 0;
  return {
    run() {
      found = histogramOfFloats(bits, work);
    },
    outputs: () => [work.firsts.subarray(0, found), work.counts.subarray(0, found), work.lows.subarray(0, found)],
  };
}

const floats: Task = {
  name: "histogram of floats",
  input: "the first step of k-means",
  unit: "weights",
  prepare(): PreparedTask {
    const { weights } = block();
    return {
      count: COUNT,
      bytes: 4 * COUNT,
      js: rehearsed(jsFloats(weights), jsFloats(weights.subarray(0, SHORT))),
      wasm(engine) {
        const { arena, exports } = engine;
        const values = place(engine, weights);
        const found = histogramOfFloats(bitsOf(weights), new FloatBinWork());
        const words = room(engine, 8 * FLOAT_BINS);
        const [firsts, counts, lows] = [room(engine, 4 * found), room(engine, 8 * found), room(engine, 8 * found)];
        arena.u8(words, 8 * FLOAT_BINS).fill(0);
        return {
          run() {
            exports.binFloats(values, COUNT, words);
            exports.takeBins(words, firsts, counts, lows);
          },
          outputs: () => [arena.u32(firsts, found), arena.f64(counts, found), arena.f64(lows, found)],
        };
      },
      native: { kernel: "float-histogram", numbers: [], inputs: [weights] },
    };
  },
};

export const weightTasks: readonly Task[] = [prune, compact, stats, magnitudes, floats];
