import type { Ptr } from "../../kernels/arena.js";
import type { Runner } from "../../kernels/runner.js";
import type { Affine } from "./tensors.js";

// Numbers that stay in a runner's memory.

/** f32[]; address 0 for none. */
export function lendFloats({ arena }: Runner, values: Float32Array | undefined): Ptr {
  if (values === undefined) return 0 as Ptr;
  const ptr = arena.alloc(values.byteLength);
  arena.f32(ptr, values.length).set(values);
  return ptr;
}

/** f32[channels][3] as `normalize` takes it: mean, scale, shift. */
export function lendAffine(runner: Runner, { scale, shift }: Affine): Ptr {
  const by = new Float32Array(3 * scale.length);
  for (let c = 0; c < scale.length; c++) by.set([0, scale[c], shift[c]], 3 * c);
  return lendFloats(runner, by);
}
