import { at } from "../../src/kernels/arena.js";
import { CHUNK } from "../../src/kernels/decode-block.js";
import type { Engine } from "../../src/kernels/engine.js";
import { placePairs } from "../../src/kernels/pairs.js";
import { FILLER, fillGapSymbols, firstBlock, pruneLayer, shareValues } from "../corpus.js";
import { crc32c } from "../js/crc32c.js";
import { expand, fillGaps } from "../js/gaps.js";
import { layerOf } from "../networks.js";
import { bitsOf, type PreparedTask, place, type Runnable, rehearsed, room, SHORT, type Task } from "./task.js";

// Gap symbols of one block, from gaps and back to dense weights, and checksums.

const COUNT = 1 << 20;
const LAYER = layerOf("alexnet", "fc7");

function jsFill(gaps: Uint32Array, wanted: number): Runnable {
  const signed = new Int32Array(gaps.buffer, gaps.byteOffset, gaps.length);
  const out = new Uint8Array(wanted).fill(1);
  return { run: () => void fillGaps(signed, FILLER, out), outputs: () => [out] };
}

const fill: Task = {
  name: "gap symbols",
  input: "gaps of one block at 9 % density, filler 63",
  unit: "survivors",
  prepare(): PreparedTask {
    const { gaps } = firstBlock(pruneLayer(LAYER), COUNT);
    const wanted = fillGapSymbols(gaps, FILLER).length;
    return {
      count: gaps.length,
      bytes: 4 * gaps.length + wanted,
      js: rehearsed(jsFill(gaps, wanted), jsFill(gaps.subarray(0, SHORT), wanted)),
      wasm(engine) {
        const from = place(engine, gaps);
        const to = room(engine, wanted);
        let found = 0;
        return {
          run() {
            found = engine.exports.fillGaps(from, gaps.length, FILLER, to);
          },
          outputs: () => [engine.arena.u8(to, found)],
        };
      },
      native: { kernel: "fill-gaps", numbers: [FILLER, wanted], inputs: [gaps] },
    };
  },
};

const expandTask: Task = {
  name: "gaps and codes to dense",
  input: "one block at 9 % density, zeros and survivors written",
  unit: "weights",
  prepare(): PreparedTask {
    const { gaps, survivors } = firstBlock(pruneLayer(LAYER), COUNT);
    const symbols = fillGapSymbols(gaps, FILLER);
    const { centroids, codes } = shareValues(survivors, LAYER.bits);
    const codebook = Float32Array.from(centroids);
    return {
      count: COUNT,
      bytes: symbols.length + codes.length + 4 * COUNT,
      js: rehearsed(jsExpand(symbols, codes, codebook, COUNT), jsExpand(symbols.subarray(0, SHORT), codes, codebook, FILLER * SHORT)),
      wasm: (engine) => wasmExpand(engine, symbols, codes, codebook),
      native: { kernel: "expand", numbers: [FILLER, COUNT], inputs: [symbols, codes, codebook] },
    };
  },
};

function jsExpand(symbols: Uint8Array, codes: Uint8Array, codebook: Float32Array, count: number): Runnable {
  const out = new Int32Array(count).fill(1);
  return { run: () => expand(symbols, FILLER, codes, bitsOf(codebook), out), outputs: () => [out] };
}

/** As src/kernels/decode-block.ts does it. */
function wasmExpand(engine: Engine, symbols: Uint8Array, codes: Uint8Array, codebook: Float32Array): Runnable {
  const { arena, exports } = engine;
  const from = place(engine, symbols);
  const by = place(engine, codes);
  const elements = place(engine, codebook);
  const pairs = room(engine, 8 * (CHUNK + 1));
  const state = room(engine, 16);
  const list = new Int32Array(arena.u8(pairs, 0).buffer, pairs, 2 * CHUNK);
  const progress = arena.u32(state, 2);
  const out = new Int32Array(COUNT);
  return {
    run() {
      out.fill(0);
      progress.fill(0);
      let placed = 0;
      for (let first = 0; first < symbols.length; first += CHUNK) {
        const length = Math.min(CHUNK, symbols.length - first);
        exports.fillerPairs(at(from, first), length, FILLER, by, elements, 4, pairs, state);
        placePairs(list, progress[1] - placed, out);
        placed = progress[1];
      }
    },
    outputs: () => [out],
  };
}

function jsChecksum(bytes: Uint8Array): Runnable {
  const out = new Uint32Array(1);
  return {
    run() {
      out[0] = crc32c(bytes);
    },
    outputs: () => [out],
  };
}

const checksum: Task = {
  name: "CRC-32C",
  input: "the bytes of one block of gap symbols",
  unit: "bytes",
  prepare(): PreparedTask {
    const bytes = fillGapSymbols(pruneLayer(LAYER).gaps, FILLER).slice(0, COUNT);
    return {
      count: bytes.length,
      bytes: bytes.length,
      js: rehearsed(jsChecksum(bytes), jsChecksum(bytes.subarray(0, SHORT))),
      wasm(engine) {
        const from = place(engine, bytes);
        const crc = new Uint32Array(1);
        return {
          run() {
            crc[0] = engine.exports.crc32c(engine.crc32cTables, from, bytes.length, 0);
          },
          outputs: () => [crc],
        };
      },
      native: { kernel: "crc32c", numbers: [], inputs: [bytes] },
    };
  },
};

export const csrTasks: readonly Task[] = [fill, expandTask, checksum];
