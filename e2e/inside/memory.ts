import { decodeStream } from "coppice/decode";
import { wasmBytes } from "../../test/wasm-memories.ts";
import { about } from "./about.ts";
import type { Commands } from "./commands.ts";

/** What streaming came to. */
export interface Streamed {
  readonly byteLength: number;
  readonly blocks: number;
  readonly wasmBytes: number;
}

/** Streams an archive from a server, block by block, by way of one buffer. */
async function stream(url: string): Promise<Streamed> {
  const { body } = await fetch(url);
  const buffer = new Uint8Array(2 ** 22);
  let byteLength = 0;
  let blocks = 0;
  for await (const { data } of decodeStream(body!, { blocks: true, into: (_, { byteLength }) => buffer.subarray(0, byteLength) })) {
    byteLength += data.length;
    blocks++;
  }
  return { byteLength, blocks, wasmBytes: wasmBytes() };
}

export const commands: Commands = { about, stream: (url) => stream(url as string) };
