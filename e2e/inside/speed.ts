import model from "given:model";
import { open } from "coppice/decode";
import { about } from "./about.ts";
import type { Commands } from "./commands.ts";

// Decodes an archive in memory block by block, each let go before the next: what fits where 128 MB is all there is.

async function decode(): Promise<number> {
  const archive = await open({
    byteLength: model.length,
    read: async (offset, length) => model.subarray(offset, offset + length),
    close: async () => {},
  });
  let byteLength = 0;
  for (const entry of archive.header.tensors) for await (const block of archive.blocks(entry)) byteLength += block.length;
  return byteLength;
}

export const commands: Commands = { about, decode };
