import { expect } from "vitest";
import type { DecodeKernels, EncodeKernels } from "../../src/kernel-types.js";
import { engineKernels } from "../../src/kernels/engine-kernels.js";
import { referenceDecodeKernels, referenceKernels } from "../../src/reference/index.js";

interface Case<K extends DecodeKernels> {
  /** As a test's title says it. */
  readonly name: string;
  readonly variant: K["variant"];
  readonly kernels: () => K;
}

/** Everything that compresses. */
export const encoders: readonly Case<EncodeKernels>[] = [
  { name: "reference", variant: "reference", kernels: () => referenceKernels },
  { name: "engine scalar", variant: "scalar", kernels: () => engineKernels({ variant: "scalar" }) },
  { name: "engine simd", variant: "simd", kernels: () => engineKernels({ variant: "simd" }) },
];

/** Everything that decodes. */
export const decoders: readonly Case<DecodeKernels>[] = [
  ...encoders,
  { name: "reference decoder", variant: "reference", kernels: () => referenceDecodeKernels },
];

/** Fails where the bits differ, also those of NaNs and zeros; says where first. `context` tells apart what a loop tries. */
export function expectSame(actual: ArrayBufferView, expected: ArrayBufferView, context = ""): void {
  const a = new Uint8Array(actual.buffer, actual.byteOffset, actual.byteLength);
  const b = new Uint8Array(expected.buffer, expected.byteOffset, expected.byteLength);
  let same = 0;
  while (same < a.length && a[same] === b[same]) same++;
  if (same === b.length && a.length === b.length && actual.constructor === expected.constructor) return;
  const found = { type: actual.constructor.name, byteLength: a.length, sameBytes: same, byte: a[same] };
  expect(found, context).toEqual({ type: expected.constructor.name, byteLength: b.length, sameBytes: b.length, byte: undefined });
}
