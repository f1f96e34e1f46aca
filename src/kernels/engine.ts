import { instantiateSync } from "@assemblyscript/loader";
import scalarBytes from "../../build/engine.scalar.wasm";
import simdBytes from "../../build/engine.simd.wasm";
import type { EncodeExports } from "./encode-exports.js";
import { adopt, type KernelModule } from "./module.js";
import { chooseVariant, type LoadOptions, type Variant } from "./variant.js";

/** assembly/engine.ts */
export interface EngineExports extends EncodeExports {}

export type Engine = KernelModule<EngineExports>;

const loaded = new Map<Variant, Engine>();

/** The engine, compiled on the first call and kept. */
export function loadEngine(options: LoadOptions = {}): Engine {
  const variant = chooseVariant(options);
  let engine = loaded.get(variant);
  if (engine === undefined) {
    const { instance } = instantiateSync(variant === "simd" ? simdBytes : scalarBytes);
    // Not the loader's own `exports`: those wrap each function in one that counts its arguments first.
    engine = adopt(instance.exports as unknown as EngineExports);
    loaded.set(variant, engine);
  }
  return engine;
}
