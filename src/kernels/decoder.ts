// Part of the edge decoder: nothing of Node, no package.

import scalarBytes from "../../build/decoder.scalar.wasm";
import simdBytes from "../../build/decoder.simd.wasm";
import type { DecodeExports } from "./decode-block.js";
import { adopt, type KernelModule } from "./module.js";
import { chooseVariant, type LoadOptions, type Variant } from "./variant.js";

/** decoder.wasm, instantiated. */
export type Decoder = KernelModule<DecodeExports>;

const loaded = new Map<Variant, Decoder>();

/** The decoder, compiled from the embedded bytes on the first call and kept. */
export function loadDecoder(options: LoadOptions = {}): Decoder {
  const variant = chooseVariant(options);
  let decoder = loaded.get(variant);
  if (decoder === undefined) {
    decoder = decoderFrom(new WebAssembly.Module(variant === "simd" ? simdBytes : scalarBytes));
    loaded.set(variant, decoder);
  }
  return decoder;
}

/** The decoder from a module compiled elsewhere, for runtimes that refuse to compile bytes. */
export function decoderFrom(module: WebAssembly.Module): Decoder {
  return adopt(new WebAssembly.Instance(module).exports as unknown as DecodeExports);
}
