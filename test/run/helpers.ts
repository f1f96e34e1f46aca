import { decode } from "../../src/decode/index.js";
import type { Ptr } from "../../src/kernels/arena.js";
import { newRunner } from "../../src/kernels/runner.js";
import type { Variant } from "../../src/kernels/variant.js";
import type { RowLines } from "../../src/run/lines.js";
import { type Expected, floatsOf } from "./expected.js";

/** A tensor of an archive in float32. */
export function decodedFloats(archive: Uint8Array, name: string): Float32Array {
  return floatsOf(decode(archive).find((tensor) => tensor.name === name)!);
}

/** The rows of a matrix in the memory of a runner of its own: of codes where there are no more than 256 values, unless `floats`. */
export function rowLinesOf(expected: Expected, variant: Variant, floats: boolean = expected.codebook.length > 256): RowLines {
  const { rows, columns, pointers, indices, codes } = expected.lines("rows");
  const weights = floats ? Float32Array.from(codes, (code) => expected.codebook[code]) : Uint8Array.from(codes);
  const runner = newRunner({ variant });
  const { arena } = runner;
  const lend = (array: Uint32Array | Uint16Array | Uint8Array | Float32Array): Ptr => {
    const ptr = arena.alloc(array.byteLength);
    arena.u8(ptr, array.byteLength).set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
    return ptr;
  };
  const at = { pointers: lend(pointers), indices: lend(indices), weights: lend(weights) };
  const codebook = floats ? undefined : expected.codebook.length > 0 ? expected.codebook : Float32Array.of(0);
  return { runner, rows, columns, order: "rows", ...at, survivors: codes.length, codebook };
}
