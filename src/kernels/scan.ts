import { SCANS } from "../archive/scans.js";
import type { Ptr } from "./arena.js";
import type { DecodeExports } from "./decode-block.js";
import type { KernelModule } from "./module.js";

/** Elements into the order of a scan (`put` false) or back into row-major order (`put` true); `out` is filled. */
export function permute(
  module: KernelModule<DecodeExports>,
  elements: Uint8Array,
  elementBytes: number,
  axes: readonly [number, number, number],
  scan: number,
  put: boolean,
  out: Uint8Array,
): void {
  const { arena } = module;
  arena.scope(() => {
    const from = arena.alloc(elements.length);
    const to = arena.alloc(elements.length);
    arena.u8(from, elements.length).set(elements);
    permuteAt(module, from, elementBytes, axes, scan, put, to);
    out.set(arena.u8(to, elements.length));
  });
}

/** The same in the module's memory. */
export function permuteAt(
  module: KernelModule<DecodeExports>,
  from: Ptr,
  elementBytes: number,
  axes: readonly [number, number, number],
  scan: number,
  put: boolean,
  to: Ptr,
): void {
  const strides = [axes[1] * axes[2], axes[2], 1];
  const [x, y, z] = SCANS[scan];
  module.exports.permute(from, to, elementBytes, axes[x], axes[y], axes[z], strides[x], strides[y], strides[z], put ? 1 : 0);
}
