import { type Core, coreOf } from "../src/archive/core.js";
import { decoderCore } from "../src/kernels/decoder-core.js";
import { engineKernels } from "../src/kernels/engine-kernels.js";
import { VARIANTS } from "../src/kernels/variant.js";
import { referenceKernels } from "../src/reference/index.js";

export const decoder: Core = decoderCore();
export const reference: Core = coreOf(referenceKernels);

/** Everything that understands archives. */
export const cores: readonly { readonly name: string; readonly core: Core }[] = [
  { name: "decoder", core: decoder },
  { name: "reference", core: reference },
  ...VARIANTS.map((variant) => ({ name: `engine ${variant}`, core: coreOf(engineKernels({ variant })) })),
];
