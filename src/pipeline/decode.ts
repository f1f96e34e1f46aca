// The decoder, with the engine's kernels: Node compiles one module for all that it does.

import { type Core, coreOf } from "../archive/core.js";
import type { Header } from "../archive/header.js";
import { plainBytes } from "../check.js";
import { type Archive, openWith } from "../decode/archive.js";
import { type Bytes, decodeStreamWith, decodeWith } from "../decode/decode.js";
import type { Block, BlockStreamOptions, DecodeOptions, OpenOptions } from "../decode/options.js";
import { engineKernels } from "../kernels/engine-kernels.js";
import type { Source, Tensor } from "../types.js";

const core = (): Core => coreOf(engineKernels());

/** Decodes an archive in memory: see `decode` of `coppice/decode`. */
export function decode(archive: Uint8Array, options?: DecodeOptions): Tensor[] {
  return decodeWith(core(), archive, options);
}

/** Decodes an archive as its bytes arrive, tensor by tensor or block by block: see `decodeStream` of `coppice/decode`. */
export function decodeStream(stream: Bytes, options: BlockStreamOptions): AsyncGenerator<Block, void, undefined>;
export function decodeStream(stream: Bytes, options?: DecodeOptions): AsyncGenerator<Tensor, void, undefined>;
export function decodeStream(stream: Bytes, options?: DecodeOptions | BlockStreamOptions): AsyncGenerator<Tensor | Block, void, undefined> {
  return decodeStreamWith(core(), stream, options);
}

/** Opens an archive whose bytes are read by range: see `open` of `coppice/decode`. */
export async function open(source: Source, options?: OpenOptions): Promise<Archive> {
  return openWith(core(), source, options);
}

/** The header of an archive: see `readHeader` of `coppice/decode`. */
export function readHeader(start: Uint8Array): Header {
  return core().readHeader(plainBytes(start, "start"));
}
