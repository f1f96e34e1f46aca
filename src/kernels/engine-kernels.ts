import type { EncodeKernels } from "../kernel-types.js";
import { crc32c } from "./crc32c.js";
import { decodeBlock, decodeRowMajor } from "./decode-block.js";
import { binKernels } from "./encode-bins.js";
import { symbolKernels } from "./encode-symbols.js";
import { lend, valueKernels } from "./encode-values.js";
import { loadEngine } from "./engine.js";
import { permute, permuteAt } from "./scan.js";
import type { LoadOptions } from "./variant.js";

/** The kernels of engine.wasm, compiled on the first call. */
export function engineKernels(options: LoadOptions = {}): EncodeKernels {
  const engine = loadEngine(options);
  const { arena, exports } = engine;
  return {
    variant: engine.variant,
    crc32c: (bytes, seed = 0) => crc32c(engine, bytes, seed),
    decodeBlock: (plan, bytes, offset, out) => decodeBlock(engine, plan, bytes, offset, out),
    decodeRowMajor: (plan, bytes, offset, out, blank) => decodeRowMajor(engine, plan, bytes, offset, out, blank),
    unscan: (elements, elementBytes, axes, scan, out) => permute(engine, elements, elementBytes, axes, scan, true, out),
    ...valueKernels(engine),
    ...binKernels(engine),
    ...symbolKernels(engine),
    scan: (elements, elementBytes, axes, scan) => {
      const out = new Uint8Array(elements.length);
      permute(engine, elements, elementBytes, axes, scan, false, out);
      return out;
    },
    scanGaps: (elements, elementBytes, axes, scan) =>
      arena.scope(() => {
        const count = elements.length / elementBytes;
        const from = lend(arena, elements);
        const walked = arena.alloc(elements.length);
        const gaps = arena.alloc(4 * count);
        const survivors = arena.alloc(elements.length);
        permuteAt(engine, from, elementBytes, axes, scan, false, walked);
        const found = exports.compact(walked, count, elementBytes, gaps, survivors);
        if (found === 0) return new Uint32Array(0);
        const bins = (exports.largest(gaps, found) >>> 0) + 1;
        const counts = arena.alloc(4 * bins);
        arena.u32(counts, bins).fill(0);
        exports.gapHistogram(gaps, found, counts);
        return arena.u32(counts, bins).slice();
      }),
  };
}
