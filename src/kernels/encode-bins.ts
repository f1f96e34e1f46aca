import type { EncodeKernels } from "../kernel-types.js";
import type { Arena, Ptr } from "./arena.js";
import type { EncodeExports } from "./encode-exports.js";
import { lend } from "./encode-values.js";
import type { KernelModule } from "./module.js";

const BINS = 2 ** 19;

/** The table of assembly/kmeans/bins.ts: a word of 64 bits for each bin. */
const TABLE_BYTES = 8 * BINS;

/**
 * Tables of each arena that nobody uses, all zeros. A table is kept from one call to the next, so no scope gives it back: it waits here for the next who asks, whichever kernels of the
 * arena that is. Nobody asks within a scope, whose end would give a table away that is still here.
 */
const unused = new WeakMap<Arena, Ptr[]>();

function unusedOf(arena: Arena): Ptr[] {
  const tables = unused.get(arena) ?? [];
  unused.set(arena, tables);
  return tables;
}

/** Bins of float32 values in the memory of `module`. */
export function binKernels(module: KernelModule<EncodeExports>): Pick<EncodeKernels, "floatBins" | "floatHistogram"> {
  const { arena, exports } = module;
  const free = unusedOf(arena);

  function zeroed(): Ptr {
    const table = arena.alloc(TABLE_BYTES);
    arena.u8(table, TABLE_BYTES).fill(0);
    return table;
  }

  const floatBins: EncodeKernels["floatBins"] = () => {
    const table = free.pop() ?? zeroed();
    let added = 0;
    return {
      add: (values) =>
        arena.scope(() => {
          added += values.length;
          exports.binFloats(lend(arena, values), values.length, table);
        }),
      take: () =>
        arena.scope(() => {
          const room = Math.min(added, BINS);
          const firsts = arena.alloc(4 * room);
          const counts = arena.alloc(8 * room);
          const lows = arena.alloc(8 * room);
          added = 0;
          const n = exports.takeBins(table, firsts, counts, lows) >>> 0;
          return { firsts: arena.u32(firsts, n).slice(), counts: arena.f64(counts, n).slice(), lows: arena.f64(lows, n).slice() };
        }),
      close() {
        if (added > 0) arena.u8(table, TABLE_BYTES).fill(0);
        free.push(table);
      },
    };
  };

  return {
    floatBins,
    floatHistogram(values, outCounts, outLows) {
      const bins = floatBins();
      bins.add(values);
      const { firsts, counts, lows } = bins.take();
      bins.close();
      for (const [i, first] of firsts.entries()) {
        outCounts[first >>> 16] += counts[i];
        outLows[first >>> 16] += lows[i] + counts[i] * (first & 0xffff);
      }
    },
  };
}
