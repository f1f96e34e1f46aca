import type { DecodeKernels } from "../kernel-types.js";
import { crc32c } from "./crc32c.js";
import { type DecodeExports, decodeBlock, decodeRowMajor } from "./decode-block.js";
import type { KernelModule } from "./module.js";
import { permute } from "./scan.js";

/** The decode kernels of a loaded module. */
export function decodeKernelsOf(module: KernelModule<DecodeExports>): DecodeKernels {
  return {
    variant: module.variant,
    crc32c: (bytes, seed = 0) => crc32c(module, bytes, seed),
    decodeBlock: (plan, bytes, offset, out) => decodeBlock(module, plan, bytes, offset, out),
    decodeRowMajor: (plan, bytes, offset, out, blank) => decodeRowMajor(module, plan, bytes, offset, out, blank),
    unscan: (elements, elementBytes, axes, scan, out) => permute(module, elements, elementBytes, axes, scan, true, out),
  };
}
