import { type Engine, loadEngine } from "../src/kernels/engine.js";
import { VARIANTS, type Variant } from "../src/kernels/variant.js";

interface Case {
  /** As a test's title says it. */
  readonly name: string;
  readonly variant: Variant;
  readonly load: () => Engine;
}

export const engines: readonly Case[] = VARIANTS.map((variant) => ({
  name: `engine ${variant}`,
  variant,
  load: () => loadEngine({ variant }),
}));
