// Part of the edge decoder: nothing of Node, no package.

import wasm from "../../build/decoder.wasm";
import type { DecodeExports } from "./decode-block.js";
import { adopt, type KernelModule } from "./module.js";

/** decoder.wasm, instantiated. */
export type Decoder = KernelModule<DecodeExports>;

let loaded: Decoder | undefined;

/** The decoder, compiled from the embedded bytes on the first call and kept. It needs no SIMD. */
export function loadDecoder(): Decoder {
  // In the build for hosts that compile no bytes the import gives the module itself.
  loaded ??= decoderFrom(ArrayBuffer.isView(wasm) ? new WebAssembly.Module(wasm) : (wasm as WebAssembly.Module));
  return loaded;
}

/** The decoder from a module compiled elsewhere, for runtimes that refuse to compile bytes. */
export function decoderFrom(module: WebAssembly.Module): Decoder {
  return adopt(new WebAssembly.Instance(module).exports as unknown as DecodeExports);
}
