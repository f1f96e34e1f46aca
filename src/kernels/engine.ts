import { instantiateSync } from "@assemblyscript/loader";
import scalarBytes from "../../build/engine.scalar.wasm";
import simdBytes from "../../build/engine.simd.wasm";
import type { EncodeExports } from "./encode-exports.js";
import { adopt, type KernelModule } from "./module.js";
import type { NnExports } from "./nn.js";
import { chooseVariant, type LoadOptions, type Variant } from "./variant.js";

/** assembly/engine.ts */
export interface EngineExports extends EncodeExports, NnExports {}

export type Engine = KernelModule<EngineExports>;

const loaded = new Map<Variant, Engine>();
const compiled = new Map<Variant, WebAssembly.Module>();

/** The module, compiled on the first call and kept: another thread may have it, and need not compile it again. */
export function engineModule(variant: Variant): WebAssembly.Module {
  let module = compiled.get(variant);
  if (module === undefined) {
    module = new WebAssembly.Module(variant === "simd" ? simdBytes : scalarBytes);
    compiled.set(variant, module);
  }
  return module;
}

/** Takes a module that another thread compiled. */
export function useEngineModule(variant: Variant, module: WebAssembly.Module): void {
  compiled.set(variant, module);
}

/** An engine of its own, whose memory lives and goes with it. */
export function newEngine(options: LoadOptions = {}): Engine {
  const { instance } = instantiateSync(engineModule(chooseVariant(options)));
  // Not the loader's own `exports`: those wrap each function in one that counts its arguments first.
  return adopt(instance.exports as unknown as EngineExports);
}

/** The engine, compiled on the first call and kept. */
export function loadEngine(options: LoadOptions = {}): Engine {
  const variant = chooseVariant(options);
  let engine = loaded.get(variant);
  if (engine === undefined) {
    engine = newEngine({ variant });
    loaded.set(variant, engine);
  }
  return engine;
}
