import type { EncodeKernels } from "../kernel-types.js";
import { decodeKernelsOf } from "./decoder-kernels.js";
import { symbolKernels } from "./encode-symbols.js";
import { valueKernels } from "./encode-values.js";
import { loadEngine } from "./engine.js";
import { permute } from "./scan.js";
import type { LoadOptions } from "./variant.js";

/** The kernels of engine.wasm, compiled on the first call. */
export function engineKernels(options: LoadOptions = {}): EncodeKernels {
  const engine = loadEngine(options);
  return {
    ...decodeKernelsOf(engine),
    ...valueKernels(engine),
    ...symbolKernels(engine),
    scan: (elements, elementBytes, axes, scan) => {
      const out = new Uint8Array(elements.length);
      permute(engine, elements, elementBytes, axes, scan, false, out);
      return out;
    },
  };
}
