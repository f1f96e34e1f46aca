import type { WorkOptions } from "../decode/options.js";
import { turn } from "./turn.js";

/** Counts the bytes that are done, tells of them, and stops when it should. */
export class Meter {
  readonly #totalBytes: number;
  readonly #options: WorkOptions;
  #doneBytes = 0;

  constructor(totalBytes: number, options: WorkOptions) {
    this.#totalBytes = totalBytes;
    this.#options = options;
  }

  /** @throws the signal's reason, once it is aborted */
  check(): void {
    this.#options.signal?.throwIfAborted();
  }

  /** `byteLength` more bytes of a tensor are done. */
  add(tensor: string, byteLength: number): void {
    this.#doneBytes += byteLength;
    this.#options.onProgress?.({ tensor, doneBytes: this.#doneBytes, totalBytes: this.#totalBytes });
  }

  /** Counts a block, and listens whether the work is to stop. */
  async done(tensor: string, byteLength: number): Promise<void> {
    this.add(tensor, byteLength);
    await this.turn();
  }

  /** Bytes in memory never wait: without a turn of the event loop nobody who wants to stop is heard. */
  async turn(): Promise<void> {
    await turn();
    this.check();
  }

  /** The blocks of a tensor, each counted once it was used. */
  async *blocks(tensor: string, blocks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    this.check();
    for await (const block of blocks) {
      yield block;
      await this.done(tensor, block.length);
    }
  }
}
