import { type Core, coreOf } from "../archive/core.js";
import { decoderFrom, loadDecoder } from "./decoder.js";
import { decodeKernelsOf } from "./decoder-kernels.js";

let core: Core | undefined;

/** What understands archives on the edge: decoder.wasm, compiled on the first call, or the module that `init` was given. */
export function decoderCore(): Core {
  core ??= coreOf(decodeKernelsOf(loadDecoder()));
  return core;
}

/**
 * Decodes with this module, for hosts whose policy forbids to compile bytes: `coppice/wasm/decoder`, compiled by the host, or in a worker that may. It may be called at any time;
 * what was opened or begun before goes on with what it began with.
 *
 * @throws TypeError where it is no module of the decoder
 */
export function init(module: WebAssembly.Module): void {
  const found = WebAssembly.Module.exports(module).map(({ name }) => name);
  const missing = EXPORTS.filter((name) => !found.includes(name));
  if (missing.length > 0) throw new TypeError(`module must be decoder.wasm: it exports no ${missing.join(", ")}`);
  core = coreOf(decodeKernelsOf(decoderFrom(module)));
}

const EXPORTS: readonly string[] = [
  "memory",
  "heapBase",
  "variant",
  "crc32c",
  "crc32cTables",
  "decodeTable",
  "decodeStreams4",
  "contextDecode",
];
