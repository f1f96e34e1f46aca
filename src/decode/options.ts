import type { TensorEntry } from "../archive/header.js";

/** How far the work is. */
export interface Progress {
  /** The tensor that got on. */
  readonly tensor: string;
  /** Bytes of the dense tensors that are done: never less than before, and all of them at the end. Of a large tensor that is being compressed, an estimate. */
  readonly doneBytes: number;
  /** Bytes of all dense tensors that the work is on. */
  readonly totalBytes: number;
}

/** Watching the work, and stopping it. */
export interface WorkOptions {
  /** Called after each tensor, and after each block of a large one. What it throws stops the work, and comes out of it. */
  readonly onProgress?: (progress: Progress) => void;
  /** Stops the work, also while it waits for bytes: the signal's reason comes out of it. */
  readonly signal?: AbortSignal;
}

/** How an archive is opened. */
export interface OpenOptions {
  /**
   * Most bytes that the tensors may have in all. Unless given, 1024 times the archive's bytes, and 256 MiB for a small one: a file that claims more
   * than it is likely to carry is refused before anything is allocated.
   */
  readonly maxBytes?: number;
  /** Stops the work, also while it waits for bytes: the signal's reason comes out of it. */
  readonly signal?: AbortSignal;
}

/** How whole tensors are decoded. */
export interface TensorOptions extends WorkOptions {
  /**
   * Gives a tensor's own buffer, of exactly `tensor.byteLength` bytes: its `data` will be that buffer, whatever it held before, and nothing is allocated for it. Fastest
   * where the buffer starts at a multiple of the element's bytes. After an error it may hold a part of the tensor. Of a stream,
   * what a tensor is said to have is not proven yet when this is called: `maxBytes` bounds it.
   */
  readonly into?: (tensor: TensorEntry) => Uint8Array;
}

/** A run of a tensor's bytes. */
export interface BlockPlace {
  /** Blocks of the tensor before it. */
  readonly index: number;
  /** Bytes of the tensor before it. */
  readonly offset: number;
  readonly byteLength: number;
}

/** How tensors are decoded block by block. */
export interface BlockOptions extends WorkOptions {
  /**
   * Gives a block's buffer, of exactly `byteLength` bytes, whatever it held before: one buffer, or views of it, may serve for all of them, and nothing is allocated then.
   * The block came, and is at most 2^20 elements.
   */
  readonly into?: (tensor: TensorEntry, block: BlockPlace) => Uint8Array;
}

/** What a caller allows an archive to ask for, where its tensors go, and how the work is watched and stopped. */
export interface DecodeOptions extends OpenOptions, TensorOptions {}

/** The same for a stream that is decoded block by block. */
export interface BlockStreamOptions extends OpenOptions, BlockOptions {
  readonly blocks: true;
}

/** A block of a tensor. Its checksum was right. */
export interface Block {
  readonly tensor: TensorEntry;
  /** Blocks of the tensor before it. An empty tensor has one block, of no bytes. */
  readonly index: number;
  /** Bytes of the tensor before it. */
  readonly offset: number;
  /** Elements, at most 2^20 of them: little-endian, row-major. */
  readonly data: Uint8Array;
}
