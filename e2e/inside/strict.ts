import lenet from "given:lenet";
import * as decoder from "coppice/decode";
import { about } from "./about.ts";
import type { Commands } from "./commands.ts";

/** decoder.wasm, compiled by a worker whose policy allows it. */
function compiledElsewhere(): Promise<WebAssembly.Module> {
  return new Promise((resolve, reject) => {
    const worker = new Worker("/compile.js");
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(`the worker failed: ${message}`));
  });
}

function decode(): number {
  return decoder.decode(lenet).length;
}

async function init(): Promise<void> {
  decoder.init(await compiledElsewhere());
}

export const commands: Commands = { about, decode, init };
