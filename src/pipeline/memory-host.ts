import { concat } from "../archive/bytes.js";
import type { Host, RecordStore, Sink } from "./host.js";

class MemoryRecords implements RecordStore {
  #pieces: Uint8Array[] = [];

  async add(pieces: readonly Uint8Array[]): Promise<void> {
    this.#pieces.push(...pieces);
  }

  async read(offset: number, byteLength: number): Promise<Uint8Array> {
    if (this.#pieces.length > 1) this.#pieces = [concat(this.#pieces)];
    return this.#pieces[0].subarray(offset, offset + byteLength);
  }

  async copyTo(sink: Sink): Promise<void> {
    for (const piece of this.#pieces) await sink(piece);
  }

  async close(): Promise<void> {}
}

/** One thread, and records in memory: what every runtime has. */
export const memoryHost: Host = { pool: () => undefined, records: () => new MemoryRecords() };
