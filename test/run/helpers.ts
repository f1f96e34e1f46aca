import { decode } from "../../src/decode/index.js";
import { newRunner } from "../../src/kernels/runner.js";
import type { Variant } from "../../src/kernels/variant.js";
import type { Lines, Order } from "../../src/run/lines.js";
import { type Expected, floatsOf } from "./expected.js";

/** A tensor of an archive in float32. */
export function decodedFloats(archive: Uint8Array, name: string): Float32Array {
  return floatsOf(decode(archive).find((tensor) => tensor.name === name)!);
}

/** The run layout of a matrix in the memory of a runner of its own. */
export function linesOf(expected: Expected, order: Order, variant: Variant): Lines {
  const { rows, columns, pointers, indices, codes } = expected.lines(order);
  const runner = newRunner({ variant });
  const { arena } = runner;
  const at = { pointers: arena.alloc(pointers.byteLength), indices: arena.alloc(indices.byteLength), codes: arena.alloc(codes.byteLength) };
  arena.u32(at.pointers, pointers.length).set(pointers);
  arena.u16(at.indices, indices.length).set(indices);
  arena.u8(at.codes, codes.length).set(codes);
  const codebook = expected.codebook.length > 0 ? expected.codebook : Float32Array.of(0);
  return { runner, rows, columns, order, ...at, survivors: codes.length, codebook };
}
