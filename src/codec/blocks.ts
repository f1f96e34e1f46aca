import { MAX_BLOCK_ELEMENTS } from "../archive/limits.js";
import { type Elements, elementsOf } from "../archive/record.js";
import type { TensorInfo } from "../types.js";

/** A tensor's elements, block by block, little-endian, row-major. A block may be asked for more than once. */
export interface Blocks extends Elements {
  readonly count: number;
  /** The bytes of block `index`: not to be changed, and gone with the next call, which may lend the same buffer. */
  read(index: number): Promise<Uint8Array>;
}

/** Elements of each block of an archive written by Coppice, but the last of a tensor. */
export const BLOCK_ELEMENTS: number = MAX_BLOCK_ELEMENTS;

export function blocksIn(elements: number): number {
  return Math.max(1, Math.ceil(elements / BLOCK_ELEMENTS));
}

/** Elements of block `index`. */
export function blockLength({ elements }: Elements, index: number): number {
  return Math.min(BLOCK_ELEMENTS, elements - index * BLOCK_ELEMENTS);
}

/** What parts found for each of their blocks, which were dealt to them in turn, in the order of the blocks. */
export function inBlockOrder<T>(parts: readonly ArrayLike<T>[]): T[] {
  const count = parts.reduce((sum, part) => sum + part.length, 0);
  return Array.from({ length: count }, (_, i) => parts[i % parts.length][Math.floor(i / parts.length)]);
}

/** Bytes of a tensor by range; what it gives may be gone with the next call. */
export type ReadRange = (offset: number, byteLength: number) => Promise<Uint8Array>;

/** A tensor in blocks, its bytes read by range. A tensor of one block is read once and kept. */
export function tensorBlocks(tensor: TensorInfo, read: ReadRange): Blocks {
  const elements = elementsOf(tensor);
  const count = blocksIn(elements.elements);
  const blockBytes = BLOCK_ELEMENTS * elements.elementBytes;
  const byteLength = elements.elements * elements.elementBytes;
  let only: Promise<Uint8Array> | undefined;
  return {
    ...elements,
    count,
    read(index) {
      if (count > 1) return read(index * blockBytes, Math.min(blockBytes, byteLength - index * blockBytes));
      only ??= byteLength === 0 ? Promise.resolve(new Uint8Array(0)) : read(0, byteLength).then((bytes) => bytes.slice());
      return only;
    },
  };
}
