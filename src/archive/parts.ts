import type { Part } from "../types.js";

/** The blocks of a tensor, little-endian and row-major. */
type Blocks = (tensor: number) => AsyncIterable<Uint8Array>;

/** Reads the parts of tensors, in the order in which they stand in a model's files, without beginning anew for each: of a tensor that goes on, a block is held. */
class PartReader {
  readonly #blocks: Blocks;
  #tensor = -1;
  /** Bytes of the tensor that were read. */
  #at = 0;
  #rest: AsyncIterator<Uint8Array> | undefined;
  #held: Uint8Array = new Uint8Array(0);

  constructor(blocks: Blocks) {
    this.#blocks = blocks;
  }

  /** The bytes of a part. Where it does not go on from the one read before, the tensor is read up to it. */
  async *bytes(tensor: number, { offset, byteLength }: Part): AsyncGenerator<Uint8Array, void, undefined> {
    if (tensor !== this.#tensor || offset < this.#at || !this.#rest) {
      this.#tensor = tensor;
      this.#at = 0;
      this.#held = new Uint8Array(0);
      this.#rest = this.#blocks(tensor)[Symbol.asyncIterator]();
    }
    for (const end = offset + byteLength; this.#at < end; ) {
      if (this.#held.length === 0) {
        const next = await this.#rest.next();
        if (next.done) return;
        this.#held = next.value;
      }
      const wanted = this.#at < offset ? offset : end;
      const chunk = this.#held.subarray(0, wanted - this.#at);
      this.#held = this.#held.subarray(chunk.length);
      this.#at += chunk.length;
      // A copy of what is not all of a block: who takes a chunk may keep its buffer, and the rest of the block is still to be given.
      if (wanted === end) yield chunk.length === chunk.buffer.byteLength ? chunk : chunk.slice();
    }
  }
}

/** The bytes of tensors and of their parts, of which a file may begin with the rest of one. */
export function tensorBytes(blocks: Blocks): (tensor: number, part?: Part) => AsyncIterable<Uint8Array> {
  const parts = new PartReader(blocks);
  return (tensor, part) => (part ? parts.bytes(tensor, part) : blocks(tensor));
}
