import * as decode from "coppice/decode";
import * as reference from "coppice/reference";

export interface Entry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly byteLength: number;
}

export interface Tensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

interface Block {
  readonly tensor: Entry;
  readonly index: number;
  readonly data: Uint8Array;
}

interface Source {
  readonly byteLength: number;
  read(offset: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

interface Archive {
  readonly header: { readonly tensors: readonly Entry[] };
  tensor(entry: Entry): Promise<Tensor>;
  blocks(entry: Entry): AsyncIterable<Uint8Array>;
}

type Bytes = AsyncIterable<Uint8Array> | ReadableStream<Uint8Array>;

/** What `coppice/decode` and `coppice/reference` both promise. */
export interface Library {
  decode(archive: Uint8Array, options?: { into?: (tensor: Entry) => Uint8Array }): Tensor[];
  decodeStream(stream: Bytes): AsyncIterable<Tensor>;
  decodeStream(stream: Bytes, options: { blocks: true }): AsyncIterable<Block>;
  open(source: Source): Promise<Archive>;
  toFile(archive: Archive, options?: { path?: string }): AsyncIterable<Uint8Array>;
}

export const LIBRARIES = { decode, reference } as unknown as { readonly decode: Library; readonly reference: Library };
