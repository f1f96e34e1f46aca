import { ByteReader } from "../archive/bytes.js";
import { FormatError } from "../errors.js";
import type { Source } from "../types.js";

// The lowest layer of an HDF5 file: addresses, fields, and the objects' headers.

export const H5_SIGNATURE: readonly number[] = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

/** A user may have bytes of his own before the file: the signature is then at 512, 1024, 2048, … of the file. */
const FIRST_USER_BLOCK_BYTES = 512;

/** The fixed part of any superblock with addresses and lengths of 8 bytes. */
const MOST_SUPERBLOCK_BYTES = 100;

/** Structures are held in memory. Of a real file with 10,000 datasets they take 5 MB. */
const MAX_STRUCTURE_BYTES = 2 ** 27;

/**
 * What structures may be read into, in units of 16 bytes: 400 MB, counted by what objects take in memory, and what is made of them later. Four bytes of a file can make a message of 200
 * bytes. It is enough for more datasets than `MAX_STRUCTURE_BYTES` has of those that the HDF5 library writes.
 */
const MAX_UNITS = 3 << 23;

/** A message with its fields. */
const UNITS_OF_MESSAGE = 12;

/** What a user can do where a file has more than is read. */
const SAVE_LESS = "save the weights alone, without the state of the optimizer, or in several files";

/** An address that says: nothing is there. */
const NOWHERE = 0xffff_ffff_ffff_ffffn;

/** The fields of a structure, little-endian. Offsets in errors are those in the file. */
export class H5Fields extends ByteReader {
  u16(what: string): number {
    return this.uint(2, what);
  }

  /** @throws FormatError `CORRUPT` where it is no safe integer */
  u64(what: string): number {
    return this.uint(8, what);
  }

  /** An integer of so many bytes. */
  uint(byteLength: number, what: string): number {
    const at = this.offset;
    const value = this.take(byteLength, what).reduceRight((high, byte) => 256 * high + byte, 0);
    if (value > Number.MAX_SAFE_INTEGER) throw new FormatError("CORRUPT", at, `${what} is too large`);
    return value;
  }

  /** An address, or undefined where it says that nothing is there. */
  address(what: string): number | undefined {
    if (this.left >= 8) {
      const view = new DataView(this.bytes.buffer, this.bytes.byteOffset + this.position, 8);
      if (view.getBigUint64(0, true) === NOWHERE) {
        this.position += 8;
        return undefined;
      }
    }
    return this.u64(what);
  }

  /** @throws FormatError `CORRUPT` where other bytes stand there */
  expect(text: string, what: string): void {
    const at = this.offset;
    if (String.fromCharCode(...this.take(text.length, what)) !== text) throw new FormatError("CORRUPT", at, `no ${what} is here`);
  }
}

/** The kinds of messages that are read. */
export const DATASPACE = 0x01;
export const LINK_INFO = 0x02;
export const DATATYPE = 0x03;
export const LINK = 0x06;
export const LAYOUT = 0x08;
const CONTINUATION = 0x10;
export const SYMBOL_TABLE = 0x11;
const READ: ReadonlySet<number> = new Set([DATASPACE, LINK_INFO, DATATYPE, LINK, LAYOUT, CONTINUATION, SYMBOL_TABLE]);

/** A message of an object's header, of a kind that is read. */
export interface H5Message {
  readonly type: number;
  readonly flags: number;
  readonly fields: H5Fields;
}

/** Where the file begins: 0, or behind a user's own bytes. */
export async function h5Offset(source: Source): Promise<number | undefined> {
  const { byteLength } = source;
  for (let at = 0; at + H5_SIGNATURE.length <= byteLength; at = Math.max(FIRST_USER_BLOCK_BYTES, 2 * at)) {
    const bytes = await source.read(at, H5_SIGNATURE.length);
    if (H5_SIGNATURE.every((byte, i) => byte === bytes[i])) return at;
  }
  return undefined;
}

/** An HDF5 file. Addresses count from where it begins. */
export class H5File {
  readonly #source: Source;
  /** Where address 0 is. */
  readonly base: number;
  /** Each structure has bytes of its own, so that all have no more than the file: what goes round in circles, or shares bytes to be many, is found by it. */
  #left: number;
  #units = 0;

  constructor(source: Source, base: number) {
    this.#source = source;
    this.base = base;
    this.#left = Math.min(source.byteLength, MAX_STRUCTURE_BYTES);
  }

  /** Bytes from `address`, at most, where the file ends before. */
  async peek(address: number, byteLength: number): Promise<H5Fields> {
    const at = this.base + address;
    if (at >= this.#source.byteLength) throw new FormatError("TRUNCATED", this.#source.byteLength, `the file ends before its byte ${at}`);
    return new H5Fields((await this.#source.read(at, Math.min(byteLength, this.#source.byteLength - at))).slice(), at);
  }

  /** All of a structure, or more of one. */
  async take(address: number, byteLength: number, what: string): Promise<H5Fields> {
    if (byteLength > this.#left) {
      if (this.#source.byteLength > MAX_STRUCTURE_BYTES) {
        const detail = `${what}: more than ${MAX_STRUCTURE_BYTES} bytes beside the data: ${SAVE_LESS}`;
        throw new FormatError("LIMIT", this.base + address, detail);
      }
      throw new FormatError("CORRUPT", this.base + address, `${what}: the structures of the file share bytes`);
    }
    const fields = await this.peek(address, byteLength);
    if (fields.left < byteLength) {
      throw new FormatError("TRUNCATED", this.#source.byteLength, `${what} needs ${byteLength} bytes, ${fields.left} are left`);
    }
    this.#left -= byteLength;
    return fields;
  }

  /**
   * Must be told what an object takes that is made of the file.
   *
   * @param offset where the file has it, for errors
   * @throws FormatError `LIMIT` where that is too much in all
   */
  spend(units: number, offset: number): void {
    this.#units += units;
    if (this.#units > MAX_UNITS) throw new FormatError("LIMIT", offset, `an HDF5 file of more objects than are read: ${SAVE_LESS}`);
  }

  /** The address of the root group's header. */
  async root(): Promise<number> {
    const fields = await this.peek(0, MOST_SUPERBLOCK_BYTES);
    fields.take(H5_SIGNATURE.length, "the signature");
    const version = fields.u8("superblock version");
    if (version > 3) throw new FormatError("UNSUPPORTED", fields.offset - 1, `HDF5 superblock version ${version}`);
    if (version < 2) fields.take(4, "superblock");
    const sizes = [fields.u8("bytes of an address"), fields.u8("bytes of a length")];
    if (sizes.some((bytes) => bytes !== 8)) throw new FormatError("UNSUPPORTED", fields.offset - 2, `addresses of ${sizes} bytes`);
    if (version < 2) fields.take(version === 0 ? 9 : 13, "superblock");
    else fields.take(1, "superblock");
    fields.address("base address");
    fields.address("superblock");
    const endAt = fields.offset;
    const end = fields.u64("end of file");
    if (end > this.#source.byteLength) {
      throw new FormatError("TRUNCATED", this.#source.byteLength, `byte ${endAt} says that the file has ${end} bytes`);
    }
    // Of the first two versions, the root stands in an entry as those of groups: behind the offset of its name.
    if (version < 2) fields.take(16, "superblock");
    return fields.u64("address of the root group");
  }

  /** The messages of the header of an object, a group or a dataset, of the kinds that are read. */
  async messages(address: number): Promise<readonly H5Message[]> {
    const start = await this.peek(address, 4);
    return start.bytes[0] === 1 ? this.#firstVersion(address) : this.#secondVersion(address);
  }

  async #firstVersion(address: number): Promise<readonly H5Message[]> {
    const head = await this.take(address, 16, "object header");
    head.take(8, "object header");
    const messages: H5Message[] = [];
    const chunks: [at: number, byteLength: number][] = [[address + 16, head.u32("object header length")]];
    for (let chunk = chunks.shift(); chunk; chunk = chunks.shift()) {
      const fields = await this.take(...chunk, "object header");
      while (fields.left >= 8) {
        const type = fields.u16("message type");
        const byteLength = fields.u16("message length");
        const flags = fields.u8("message flags");
        fields.take(3, "message");
        this.#add(messages, chunks, fields, type, byteLength, flags);
      }
    }
    return messages;
  }

  async #secondVersion(address: number): Promise<readonly H5Message[]> {
    const head = await this.peek(address, 34);
    head.expect("OHDR", "object header");
    const version = head.u8("object header version");
    if (version !== 2) throw new FormatError("UNSUPPORTED", head.offset - 1, `object header version ${version}`);
    const headFlags = head.u8("object header flags");
    head.take((headFlags & 0x20 ? 16 : 0) + (headFlags & 0x10 ? 4 : 0), "object header");
    const byteLength = head.uint(2 ** (headFlags & 3), "object header length");
    const messages: H5Message[] = [];
    const chunks: [at: number, byteLength: number][] = [];
    const read = (fields: H5Fields): void => {
      // A rest that is too short for a message is a gap.
      const headBytes = headFlags & 4 ? 6 : 4;
      while (fields.left >= headBytes) {
        const type = fields.u8("message type");
        const bytes = fields.u16("message length");
        const flags = fields.u8("message flags");
        fields.take(headBytes - 4, "message");
        this.#add(messages, chunks, fields, type, bytes, flags);
      }
    };
    // A checksum of 4 bytes ends each chunk.
    read(await this.take(address + head.position, byteLength, "object header"));
    for (let chunk = chunks.shift(); chunk; chunk = chunks.shift()) {
      const [at, bytes] = chunk;
      const fields = await this.take(at, Math.max(8, bytes), "object header");
      fields.expect("OCHK", "continuation of an object header");
      read(new H5Fields(fields.take(fields.left - 4, "object header"), fields.base + 4));
    }
    return messages;
  }

  /** Adds the message that comes, or the chunk with more of them that it says. */
  #add(
    messages: H5Message[],
    chunks: [at: number, byteLength: number][],
    fields: H5Fields,
    type: number,
    byteLength: number,
    flags: number,
  ): void {
    const { offset } = fields;
    const bytes = fields.take(byteLength, "message");
    if (!READ.has(type)) return;
    this.spend(UNITS_OF_MESSAGE, offset);
    const body = new H5Fields(bytes, offset);
    if (type === CONTINUATION) chunks.push([body.u64("address of a continuation"), body.u64("length of a continuation")]);
    else messages.push({ type, flags, fields: body });
  }
}
