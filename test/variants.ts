import { type Decoder, loadDecoder } from "../src/kernels/decoder.js";
import { type Engine, loadEngine } from "../src/kernels/engine.js";
import { VARIANTS, type Variant } from "../src/kernels/variant.js";

interface Case<M> {
  /** As a test's title says it. */
  readonly name: string;
  readonly variant: Variant;
  readonly load: () => M;
}

export const engines: readonly Case<Engine>[] = VARIANTS.map((variant) => ({
  name: `engine ${variant}`,
  variant,
  load: () => loadEngine({ variant }),
}));

export const decoders: readonly Case<Decoder>[] = [{ name: "decoder", variant: "scalar", load: loadDecoder }];

/** Every module in every build, for kernels that both modules have. */
export const modules: readonly Case<Engine | Decoder>[] = [...engines, ...decoders];
