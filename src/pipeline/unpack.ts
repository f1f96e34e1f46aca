import { fdatasync, write as writeInto, writeSync } from "node:fs";
import { promisify } from "node:util";
import type { Core, PlannedHead } from "../archive/core.js";
import { pieceByteLength } from "../archive/files.js";
import { orderMatters, swapUnit } from "../archive/order.js";
import { renderTemplate } from "../archive/template.js";
import { blockByteLength } from "../decode/record.js";
import { FormatError } from "../errors.js";
import type { FileTemplate, Part, Piece, Place, TensorInfo } from "../types.js";
import { decodePlanned, type PlannedArchive, type PlannedBlock } from "./archive.js";
import type { Meter } from "./progress.js";

const write = promisify(writeInto);
const datasync = promisify(fdatasync);

// A file of a model, written block by block, each where it belongs: in any order, by any thread.

/** A block to be decoded, and where its elements go. */
export interface BlockJob extends PlannedBlock {
  /** Where they go in a file. */
  readonly to: Place;
  /** Of a block that does not stand whole in the file: which of its bytes do. */
  readonly part?: Part;
}

/** Decodes blocks into a file, one after another, by way of one buffer. */
export class Unpacker {
  readonly #core: Core<PlannedHead>;
  #buffer = new Uint8Array(0);

  constructor(core: Core<PlannedHead>) {
    this.#core = core;
  }

  /**
   * @param bytes the block as it stands in the archive
   * @throws FormatError where the block is at fault; what the system throws where it cannot be written
   */
  unpack(job: BlockJob, bytes: Uint8Array): void {
    const { plan, span, to, part } = job;
    const byteLength = blockByteLength(plan, span.index);
    if (this.#buffer.length < byteLength) this.#buffer = new Uint8Array(byteLength);
    const out = this.#buffer.subarray(0, byteLength);
    decodePlanned(this.#core, job, bytes, out);
    const wanted = part ? out.subarray(part.offset, part.offset + part.byteLength) : out;
    for (let done = 0; done < wanted.length; ) done += writeSync(to.fd, wanted, done, wanted.length - done, to.offset + done);
  }
}

/** Who decodes blocks: the thread that calls, or others. */
export interface Unpacking {
  /** Blocks that may be on their way at a time. */
  readonly ahead: number;
  unpack(job: BlockJob): Promise<void>;
  /** After a failure: once it is fulfilled nothing is written any more. */
  stop(): Promise<void>;
}

/** Blocks decoded in this thread. */
export function unpackHere(archive: PlannedArchive): Unpacking {
  const unpacker = new Unpacker(archive.core);
  return {
    ahead: 1,
    unpack: async (job) => unpacker.unpack(job, await archive.bytes(job.span.offset, job.span.byteLength)),
    stop: async () => undefined,
  };
}

/** Bytes after which the disk is to begin. */
const WRITE_BEHIND_BYTES = 1 << 26;

/** Has the disk begin while the rest is decoded, so that there is less to wait for at the end. */
class WriteBehind {
  readonly #fd: number;
  #byteLength = 0;
  #going: Promise<void> | undefined;
  /** The system tells a failure once: it must not be lost. */
  #failure: { readonly error: unknown } | undefined;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** @throws what the disk could not do with what was added before */
  add(byteLength: number): void {
    if (this.#failure) throw this.#failure.error;
    this.#byteLength += byteLength;
    if (this.#going || this.#byteLength < WRITE_BEHIND_BYTES) return;
    this.#byteLength = 0;
    this.#going = datasync(this.#fd)
      .catch((error: unknown) => void (this.#failure ??= { error }))
      .then(() => void (this.#going = undefined));
  }

  /** Once it is fulfilled nothing uses the file any more. */
  async stop(): Promise<void> {
    await this.#going;
  }

  /** Stops, and throws as `add` does. */
  async end(): Promise<void> {
    await this.stop();
    if (this.#failure) throw this.#failure.error;
  }
}

/** Where the blocks of tensors are; of a tensor that stands in parts the record is walked once, where the parts are asked for in order. */
class Layouts {
  readonly #archive: PlannedArchive;
  #tensor = -1;
  /** Bytes of the tensor before the end of the last part. */
  #end = 0;
  #blocks: AsyncIterator<PlannedBlock> | undefined;
  #last: PlannedBlock | undefined;

  constructor(archive: PlannedArchive) {
    this.#archive = archive;
  }

  /** The blocks that a part has bytes of, and which. */
  async *within(tensor: number, { offset, byteLength }: Part): AsyncGenerator<PlannedBlock & { readonly part: Part }, void, undefined> {
    if (tensor !== this.#tensor || offset !== this.#end || !this.#blocks) {
      this.#tensor = tensor;
      this.#blocks = this.#archive.layout(this.#archive.header.tensors[tensor]);
      this.#last = undefined;
    }
    this.#end = offset + byteLength;
    for (;;) {
      this.#last ??= (await this.#blocks.next()).value as PlannedBlock | undefined;
      if (!this.#last) return;
      const { plan, span } = this.#last;
      const start = span.index * blockByteLength(plan, 0);
      const end = start + blockByteLength(plan, span.index);
      const from = Math.max(offset, start);
      const to = Math.min(this.#end, end);
      if (from < to) yield { plan, span, part: { offset: from - start, byteLength: to - from } };
      if (end > this.#end) return;
      this.#last = undefined;
    }
  }
}

/** Writes files of an archive's model. They are asked for in the archive's order: a tensor may go on in the next. */
export class FileUnpacker {
  readonly #archive: PlannedArchive;
  readonly #meter: Meter;
  readonly #unpacking: Unpacking;
  readonly #layouts: Layouts;

  constructor(archive: PlannedArchive, meter: Meter, unpacking: Unpacking) {
    this.#archive = archive;
    this.#meter = meter;
    this.#unpacking = unpacking;
    this.#layouts = new Layouts(archive);
  }

  /**
   * Writes a file from its beginning. When it returns or throws, nothing writes any more.
   *
   * @throws FormatError where the archive is at fault; the first in the file's order, whatever the threads
   */
  async write(file: FileTemplate, fd: number): Promise<void> {
    const going: { readonly name: string; readonly byteLength: number; readonly done: Promise<void> }[] = [];
    const behind = new WriteBehind(fd);
    const next = async (): Promise<void> => {
      const { name, byteLength, done } = going[0];
      await done;
      going.shift();
      behind.add(byteLength);
      await this.#meter.done(name, byteLength);
    };
    try {
      let offset = 0;
      for (const piece of file.pieces) {
        const blocks = this.#blocks(piece);
        if (blocks) {
          this.#meter.check();
          let at = offset;
          for await (const { name, byteLength, ...block } of blocks) {
            const done = this.#unpacking.unpack({ ...block, to: { fd, offset: at } });
            done.catch(() => undefined); // its turn to be told comes in `next`
            at += byteLength;
            going.push({ name, byteLength, done });
            if (going.length >= this.#unpacking.ahead) await next();
          }
        } else {
          while (going.length > 0) await next();
          await writePiece(this.#archive, piece, { fd, offset }, this.#meter);
        }
        offset += pieceByteLength(this.#archive, piece);
      }
      while (going.length > 0) await next();
      await behind.end();
    } catch (error) {
      try {
        // What is at fault earlier in the file may not have been told yet.
        if (error instanceof FormatError) for (const { done } of going) await done;
      } finally {
        await Promise.all([this.#unpacking.stop(), behind.stop()]);
      }
      throw error;
    }
  }

  /** The blocks that make a piece, one after another; undefined where it is not made of blocks as they are decoded. */
  #blocks(piece: Piece): AsyncIterable<Omit<BlockJob, "to"> & { readonly name: string; readonly byteLength: number }> | undefined {
    const { tensors } = this.#archive.header;
    if (piece.kind === "part") return named(tensors[piece.tensor].name, this.#layouts.within(piece.tensor, piece));
    if (piece.kind !== "tensor" || !isPlain(piece, tensors[piece.tensor])) return undefined;
    return named(tensors[piece.tensor].name, this.#archive.layout(tensors[piece.tensor]));
  }
}

async function* named<T extends PlannedBlock & { readonly part?: Part }>(name: string, blocks: AsyncIterable<T>) {
  for await (const block of blocks) {
    const byteLength = block.part?.byteLength ?? blockByteLength(block.plan, block.span.index);
    yield { ...block, name, byteLength };
  }
}

type Hole = Extract<Piece, { kind: "tensor" }>;

/** The file has the tensor's bytes as they are decoded. */
function isPlain({ bigEndian, columnMajor }: Hole, { dtype, shape }: TensorInfo): boolean {
  return !(bigEndian && swapUnit(dtype) > 1) && !(columnMajor && orderMatters(shape));
}

async function writePiece(archive: PlannedArchive, piece: Piece, { fd, offset }: Place, meter: Meter): Promise<void> {
  const { tensors } = archive.header;
  let at = offset;
  const blocks = (tensor: number): AsyncIterable<Uint8Array> => meter.blocks(tensors[tensor].name, archive.blocks(tensors[tensor]));
  for await (const chunk of renderTemplate({ path: "", pieces: [piece] }, tensors, blocks)) {
    meter.check();
    for (let done = 0; done < chunk.length; ) done += (await write(fd, chunk, done, chunk.length - done, at + done)).bytesWritten;
    at += chunk.length;
  }
}
