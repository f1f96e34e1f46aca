import { randomBytes } from "node:crypto";
import { type FileHandle, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { ByteWriter } from "../archive/bytes.js";
import type { RecordStore, Sink } from "./host.js";
import { writeFully } from "./output.js";

/** Up to this many bytes stay in memory. */
const MEMORY_BYTES = 1 << 25;
const COPY_BYTES = 1 << 20;

/** Shorter records are put together: a model of a hundred thousand small tensors is held, looked through and written as few pieces. */
const JOINED_BYTES = 1 << 16;

/** Records in memory, or, where they are many, in a temporary file that has no name any more, so that nothing stays behind. */
export class Spool implements RecordStore {
  #pieces: Uint8Array[] = [];
  #held = 0;
  /** The last records, of which all that follow are short, too. */
  readonly #joined = new ByteWriter();
  #handle: FileHandle | undefined;
  #path: string | undefined;
  #written = 0;
  readonly #folder: string;

  /** @param folder where the temporary file may be: beside the output there is room for it */
  constructor(folder: string = tmpdir()) {
    this.#folder = folder;
  }

  async add(pieces: readonly Uint8Array[]): Promise<void> {
    for (const piece of pieces) {
      this.#held += piece.length;
      if (this.#joined.length + piece.length > JOINED_BYTES) this.#join();
      if (piece.length > JOINED_BYTES) this.#pieces.push(piece);
      else this.#joined.bytes(piece);
    }
    if (this.#held > MEMORY_BYTES) await this.#spill();
  }

  #join(): void {
    if (this.#joined.length > 0) this.#pieces.push(this.#joined.finish());
  }

  async #spill(): Promise<void> {
    this.#join();
    if (this.#handle === undefined) {
      this.#path = path.join(this.#folder, `.coppice-${randomBytes(8).toString("hex")}.spool`);
      this.#handle = await open(this.#path, "wx+", 0o600);
      await rm(this.#path, { force: true }).catch(() => undefined); // Windows keeps open files: `close` tries again
    }
    for (const piece of this.#pieces) await writeFully(this.#handle, piece);
    this.#written += this.#held;
    this.#pieces = [];
    this.#held = 0;
  }

  async read(offset: number, byteLength: number): Promise<Uint8Array> {
    this.#join();
    const out = new Uint8Array(byteLength);
    let at =
      this.#handle && offset < this.#written
        ? (await this.#handle.read(out, 0, Math.min(byteLength, this.#written - offset), offset)).bytesRead
        : 0;
    let start = this.#written;
    for (const piece of this.#pieces) {
      if (at === byteLength) break;
      const from = offset + at - start;
      if (from < piece.length) {
        const part = piece.subarray(from, from + byteLength - at);
        out.set(part, at);
        at += part.length;
      }
      start += piece.length;
    }
    return out;
  }

  async copyTo(sink: Sink): Promise<void> {
    this.#join();
    if (this.#handle !== undefined) {
      for (let at = 0; at < this.#written; ) {
        const { bytesRead, buffer } = await this.#handle.read(new Uint8Array(COPY_BYTES), 0, COPY_BYTES, at);
        if (bytesRead === 0) throw new Error("the temporary file became shorter");
        await sink(buffer.subarray(0, Math.min(bytesRead, this.#written - at)));
        at += bytesRead;
      }
    }
    for (const piece of this.#pieces) await sink(piece);
  }

  async close(): Promise<void> {
    if (this.#handle === undefined) return;
    await this.#handle.close();
    if (this.#path !== undefined) await rm(this.#path, { force: true });
  }
}
