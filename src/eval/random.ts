import { checkInteger } from "../check.js";
import { seededRandom } from "../codec/random.js";
import { elementCount, type Tensor } from "../types.js";
import { closedShape } from "./shapes.js";
import type { Run, RunOptions, RunPlan, Samples, Signature, ValueInfo } from "./types.js";
import { bytesOf, isFloatValue } from "./values.js";

/**
 * Random samples, one a run: floats in [-1, 1), and 0 or 1 for integers, which are an index or a mask in every model that takes them.
 *
 * @param count how many
 * @param seed the same one gives the same numbers, everywhere
 */
export function randomSamples(count: number, seed = 1): Samples {
  checkInteger(count, "random", 1, Number.MAX_SAFE_INTEGER);
  checkInteger(seed, "seed", 0, 2 ** 32 - 1);
  return {
    plan({ inputs }: Signature, { limit, fed, shapes }: RunOptions): RunPlan {
      const wanted = inputs.filter(({ name }) => !fed.has(name));
      const shaped = wanted.map((input) => ({ ...input, shape: closedShape(input, shapes) }));
      return { samples: count, runs: randomRuns(shaped, Math.min(count, limit), seededRandom(seed)) };
    },
  };
}

function* randomRuns(
  inputs: readonly (ValueInfo & { readonly shape: readonly number[] })[],
  count: number,
  random: () => number,
): Generator<Run> {
  for (let run = 0; run < count; run++) {
    const tensors = inputs.map(({ name, dtype, shape }): Tensor => {
      const next = isFloatValue(dtype) ? () => 2 * random() - 1 : () => Math.floor(2 * random());
      const numbers = Float64Array.from({ length: elementCount(shape) }, next);
      return { name, dtype, shape, data: bytesOf(numbers, dtype, JSON.stringify(name)) };
    });
    yield { inputs: new Map(tensors.map((tensor) => [tensor.name, tensor])), samples: 1 };
  }
}
