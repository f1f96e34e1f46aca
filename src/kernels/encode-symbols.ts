import { ByteWriter, concat } from "../archive/bytes.js";
import type { EncodeKernels } from "../kernel-types.js";
import { at, toPtr } from "./arena.js";
import type { EncodeExports } from "./encode-exports.js";
import { lend } from "./encode-values.js";
import type { KernelModule } from "./module.js";

// Kernels that work on symbols: gaps, Huffman codes, byte planes.

type Symbols = Pick<
  EncodeKernels,
  "histogram" | "gapHistogram" | "mapBytes" | "codeLengths" | "encodeSymbols" | "fillGaps" | "escapeGaps" | "encodeContext" | "splitPlane"
>;

const STREAMS = 4;

/** Bytes that a stream of `count` symbols or one more takes, with those that are written past its end. */
function streamRoom(count: number): number {
  return Math.ceil((count + 1) * 1.5) + 16;
}

/** The kernels over symbols, in the memory of `module`. */
export function symbolKernels(module: KernelModule<EncodeExports>): Symbols {
  const { arena, exports } = module;
  return {
    histogram: (bytes) =>
      arena.scope(() => {
        const counts = arena.alloc(4 * 256);
        const lanes = arena.alloc(4 * 1024);
        exports.histogram(lend(arena, bytes), bytes.length, counts, lanes);
        return arena.u32(counts, 256).slice();
      }),

    gapHistogram: (gaps, maxGap) =>
      arena.scope(() => {
        const counts = arena.alloc(4 * (maxGap + 1));
        const from = lend(arena, gaps);
        arena.u32(counts, maxGap + 1).fill(0);
        exports.gapHistogram(from, gaps.length, counts);
        return arena.u32(counts, maxGap + 1).slice();
      }),

    mapBytes: (bytes, table) =>
      arena.scope(() => {
        const by = lend(arena, table);
        const mapped = lend(arena, bytes);
        exports.mapBytes(mapped, bytes.length, by);
        return arena.u8(mapped, bytes.length).slice();
      }),

    codeLengths: (counts, maxLength) =>
      arena.scope(() => {
        const alphabet = counts.length;
        const lengths = arena.alloc(alphabet);
        const symbols = arena.alloc(4 * alphabet);
        const levels = arena.alloc(2 * 2 * 8 * alphabet);
        const kinds = arena.alloc(maxLength * 2 * alphabet);
        exports.codeLengths(lend(arena, counts), alphabet, maxLength, lengths, symbols, levels, kinds);
        return arena.u8(lengths, alphabet).slice();
      }),

    encodeSymbols: (symbols, coding) => {
      if (coding.way === 0) return symbols.slice();
      if (coding.way === 1) return new Uint8Array(0);
      return arena.scope(() => {
        const from = lend(arena, symbols);
        const next = arena.alloc(64);
        const table = arena.alloc(4 * 256);
        // `encodeStreams4` looks at all of it.
        arena.u32(table, 256).fill(0);
        exports.encodeTable(lend(arena, coding.lengths), coding.alphabet, table, next);
        if (coding.way === 2) {
          const out = arena.alloc(streamRoom(symbols.length));
          return arena.u8(out, exports.encodeStream(from, at(from, symbols.length), 1, table, out)).slice();
        }
        const room = streamRoom(symbols.length / STREAMS);
        const ends = arena.alloc(4 * STREAMS);
        const out = arena.alloc(STREAMS * room);
        exports.encodeStreams4(from, symbols.length, table, out, room, ends);
        const byteLengths = [...arena.u32(ends, STREAMS)];
        const lengths = byteLengths.reduce((bytes, byteLength) => bytes.varint(byteLength), new ByteWriter()).finish();
        return concat([lengths, ...byteLengths.map((byteLength, stream) => arena.u8(at(out, stream * room), byteLength))]);
      });
    },

    fillGaps: (gaps, filler) =>
      arena.scope(() => {
        const from = lend(arena, gaps);
        const out = arena.alloc(gaps.length + Math.floor(exports.total(from, gaps.length) / filler));
        return arena.u8(out, exports.fillGaps(from, gaps.length, filler, out)).slice();
      }),

    escapeGaps: (gaps, exponent) =>
      arena.scope(() => {
        const out = arena.alloc(gaps.length);
        const extra = arena.alloc(Math.ceil(gaps.length * 2.5) + 16);
        const byteLength = exports.escapeGapSymbols(lend(arena, gaps), gaps.length, exponent, out, extra);
        return { symbols: arena.u8(out, gaps.length).slice(), extra: arena.u8(extra, byteLength).slice() };
      }),

    encodeContext: (symbols, rows, columns, kernel, codes) =>
      arena.scope(() => {
        // A decision takes at most 12 bits: its probability is at least 22 / 65536. A survivor has up to eight more.
        const survivors = symbols.reduce((count, symbol) => count + (symbol > 0 ? 1 : 0), 0);
        const out = arena.alloc(Math.ceil((symbols.length + 8 * survivors) * 1.5) + 16);
        const work = arena.alloc(exports.contextBytes(columns) >>> 0);
        const end = toPtr(exports.contextEncode(lend(arena, symbols), rows, columns, kernel, codes, out, work));
        return arena.u8(out, end - out).slice();
      }),

    splitPlane: (elements, elementBytes, plane) =>
      arena.scope(() => {
        const count = elements.length / elementBytes;
        const out = arena.alloc(count);
        exports.splitPlane(at(lend(arena, elements), plane), count, elementBytes, out);
        return arena.u8(out, count).slice();
      }),
  };
}
