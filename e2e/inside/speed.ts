import model from "given:model";
import { type BlockOptions, decode, open } from "coppice/decode";
import { about } from "./about.ts";
import type { Commands } from "./commands.ts";

/** The largest tensor of AlexNet's shape, fc6, has 151 MB. */
let room: Uint8Array | undefined;

/** Decodes tensor by tensor, all into the same memory: what the decoder costs. */
function intoRoom(): number {
  room ??= new Uint8Array(9216 * 4096 * 4).fill(1);
  const into = ({ byteLength }: { byteLength: number }): Uint8Array => (room as Uint8Array).subarray(0, byteLength);
  return decode(model, { into }).reduce((sum, { data }) => sum + data.length, 0);
}

/** Decodes block by block. */
async function blocks(options?: BlockOptions): Promise<number> {
  const archive = await open({
    byteLength: model.length,
    read: async (offset, length) => model.subarray(offset, offset + length),
    close: async () => {},
  });
  let byteLength = 0;
  for (const entry of archive.header.tensors) for await (const block of archive.blocks(entry, options)) byteLength += block.length;
  return byteLength;
}

/** Each block is new and let go before the next: what the runtime's memory costs, too. */
function byBlocks(): Promise<number> {
  return blocks();
}

/** One buffer serves for all blocks, as in a Worker, which has no room for a tensor. */
function blocksIntoRoom(): Promise<number> {
  const room = new Uint8Array(2 ** 22);
  return blocks({ into: (_, { byteLength }) => room.subarray(0, byteLength) });
}

export const commands: Commands = { about, intoRoom, blocksIntoRoom, byBlocks };
