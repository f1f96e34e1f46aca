import { MAX_CODE_BITS } from "../../src/archive/limits.js";
import { at } from "../../src/kernels/arena.js";
import type { Engine } from "../../src/kernels/engine.js";
import { referenceKernels } from "../../src/reference/index.js";
import { SYMBOL_SOURCES, type SymbolSource } from "../corpus.js";
import { decode4, decodeTable, encode4, encodeRoom, encodeTable, pairTable } from "../js/huffman.js";
import { type PreparedTask, place, type Runnable, rehearsed, room, SHORT, type Task } from "./task.js";

// Huffman coding in four streams, symbols dealt in turn: docs/format.md, section 4.2, way 3. Tables are there before: a record of many blocks builds them once.

/** What a kernel may read past a stream. */
const SLACK = 64;

interface Coded {
  readonly symbols: Uint8Array;
  readonly alphabet: number;
  readonly lengths: Uint8Array;
  /** The streams, one after another. */
  readonly streams: Uint8Array;
  /** u32[4]: their bytes. */
  readonly streamLengths: Uint32Array;
}

function code({ symbols: make, alphabet }: SymbolSource): Coded {
  const symbols = make();
  const lengths = referenceKernels.codeLengths(referenceKernels.histogram(symbols).slice(0, alphabet), MAX_CODE_BITS);
  const out = new Uint8Array(encodeRoom(symbols.length));
  const streamLengths = new Uint32Array(4);
  encode4(encodeTable(lengths), symbols, new DataView(out.buffer), out, streamLengths);
  const byteLength = streamLengths.reduce((sum, length) => sum + length, 0);
  return { symbols, alphabet, lengths, streams: out.slice(0, byteLength), streamLengths };
}

/** Its first symbols, in the same streams. */
function firstOf(coded: Coded): Coded {
  return { ...coded, symbols: coded.symbols.subarray(0, SHORT) };
}

/** Room for a stream that a kernel reads without looking at its end. */
function padded(streams: Uint8Array): Uint8Array {
  const longer = new Uint8Array(streams.length + SLACK);
  longer.set(streams);
  return longer;
}

function startsOf(lengths: Uint32Array): Uint32Array {
  return Uint32Array.of(0, lengths[0], lengths[0] + lengths[1], lengths[0] + lengths[1] + lengths[2]);
}

function jsDecode({ symbols, lengths, streams, streamLengths }: Coded): Runnable {
  const table = decodeTable(lengths);
  const input = new DataView(padded(streams).buffer);
  const starts = startsOf(streamLengths);
  const words = new Int32Array(Math.ceil(symbols.length / 4)).fill(1);
  const out = new Uint8Array(words.buffer, 0, symbols.length);
  return { run: () => decode4(table, input, starts, symbols.length, out, words), outputs: () => [out] };
}

function wasmDecode(engine: Engine, { symbols, alphabet, lengths, streams, streamLengths }: Coded): Runnable {
  const { arena, exports } = engine;
  const tableLog = Math.max(...lengths);
  const table = room(engine, 4 << MAX_CODE_BITS);
  exports.decodeTable(place(engine, lengths), alphabet, tableLog, table);
  const input = place(engine, padded(streams));
  const [in0, in1, in2, in3] = Array.from(startsOf(streamLengths), (start) => at(input, start));
  const end = at(input, streams.length);
  const count = symbols.length;
  const out = room(engine, count + SLACK);
  const runs = room(engine, count + SLACK);
  return {
    run() {
      if (exports.decodeStreams4(table, tableLog, in0, in1, in2, in3, end, count, out, runs) === 0)
        throw new Error("the streams did not end where they should");
    },
    outputs: () => [arena.u8(out, count)],
  };
}

function jsEncode({ symbols, lengths }: Coded): Runnable {
  const table = encodeTable(lengths);
  const pairs = pairTable(lengths);
  const out = new Uint8Array(encodeRoom(symbols.length)).fill(1);
  const view = new DataView(out.buffer);
  const streamLengths = new Uint32Array(4);
  return {
    run: () => encode4(table, symbols, view, out, streamLengths, pairs),
    outputs: () => [streamLengths, out.subarray(0, streamLengths[0] + streamLengths[1] + streamLengths[2] + streamLengths[3])],
  };
}

function wasmEncode(engine: Engine, { symbols, alphabet, lengths }: Coded): Runnable {
  const { arena, exports } = engine;
  const table = room(engine, 4 * 256);
  arena.u32(table, 256).fill(0); // `encodeStreams4` looks at all of it
  exports.encodeTable(place(engine, lengths), alphabet, table, room(engine, 64));
  const from = place(engine, symbols);
  const streamRoom = Math.ceil((symbols.length / 4 + 1) * 1.5) + 8;
  const out = room(engine, 4 * streamRoom);
  const ends = room(engine, 16);
  const streamLengths = arena.u32(ends, 4);
  const streams = arena.u8(out, 4 * streamRoom);
  let byteLength = 0;
  return {
    run() {
      exports.encodeStreams4(from, symbols.length, table, out, streamRoom, ends);
      byteLength = 0;
      for (let stream = 0; stream < 4; stream++) {
        streams.copyWithin(byteLength, stream * streamRoom, stream * streamRoom + streamLengths[stream]);
        byteLength += streamLengths[stream];
      }
    },
    outputs: () => [streamLengths, streams.subarray(0, byteLength)],
  };
}

function decodeTask(source: SymbolSource): Task {
  return {
    name: `Huffman decode, ${source.name}`,
    input: "one block, four streams",
    unit: "symbols",
    prepare(): PreparedTask {
      const coded = code(source);
      return {
        count: coded.symbols.length,
        bytes: coded.streams.length + coded.symbols.length,
        js: rehearsed(jsDecode(coded), jsDecode(firstOf(coded))),
        wasm: (engine) => wasmDecode(engine, coded),
        native: {
          kernel: "huffman-decode",
          numbers: [coded.symbols.length],
          inputs: [coded.lengths, coded.streamLengths, padded(coded.streams)],
        },
      };
    },
  };
}

function encodeTask(source: SymbolSource): Task {
  return {
    name: `Huffman encode, ${source.name}`,
    input: "one block, four streams",
    unit: "symbols",
    prepare(): PreparedTask {
      const coded = code(source);
      return {
        count: coded.symbols.length,
        bytes: coded.streams.length + coded.symbols.length,
        js: rehearsed(jsEncode(coded), jsEncode(firstOf(coded))),
        wasm: (engine) => wasmEncode(engine, coded),
        native: { kernel: "huffman-encode", numbers: [], inputs: [coded.lengths, coded.symbols] },
      };
    },
  };
}

export const huffmanTasks: readonly Task[] = [...SYMBOL_SOURCES.map(decodeTask), ...SYMBOL_SOURCES.map(encodeTask)];
