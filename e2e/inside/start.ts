import lenet from "given:lenet";
import { about } from "./about.ts";
import { streamed } from "./bytes.ts";
import type { Commands } from "./commands.ts";

/** Imports the decoder and has the first tensor of an archive that is there: its name. */
async function firstTensor(): Promise<string | undefined> {
  const { decodeStream } = await import("coppice/decode");
  for await (const { name } of decodeStream(streamed(lenet, [lenet.length]))) return name;
  return undefined;
}

export const commands: Commands = { about, firstTensor };
