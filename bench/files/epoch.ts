import path from "node:path";
import { pathToFileURL } from "node:url";
import { LENET_5 } from "../../examples/lenet-5.js";
import { LENET_300_100 } from "../../examples/lenet-300-100.js";
import { loadMnist, samplesOf } from "../../examples/mnist.js";
import type * as Nn from "../../src/nn/index.js";
import { DIST, least, median } from "./measure.js";
import type { Context } from "./parts.js";

/** Multiply-adds of a sample in a step, all in matrix products; the first layer has no input gradient. */
const MULTIPLY_ADDS = {
  "LeNet-300-100": 3 * 266_200 - 784 * 300,
  "LeNet-5": 2 * 288_000 + 3 * (1_600_000 + 400_000 + 5_000),
};

/** One pass over the 60,000 training digits in batches of 128, with one thread and with two in turn. */
export async function epoch({ rounds, say }: Context): Promise<void> {
  const { Sequential, train } = (await import(pathToFileURL(path.join(DIST, "nn.js")).href)) as typeof Nn;
  const digits = await loadMnist("train").catch((error: Error) => say("epoch", `left out: ${error.message}`));
  if (digits === undefined) return;
  const samples = samplesOf(digits, 255);
  const times = new Map<string, number[]>();
  const processor = new Map<string, number>();
  const figures = new Map<string, string>();
  for (let round = 0; round < rounds; round++) {
    for (const [name, spec] of [
      ["LeNet-300-100", LENET_300_100],
      ["LeNet-5", LENET_5],
    ] as const) {
      for (const threads of [1, 2]) {
        const network = new Sequential(spec);
        const before = process.cpuUsage();
        const start = performance.now();
        const [{ loss }] = train(network, samples, { epochs: 1, learningRate: 0.02, batchSize: 128, threads });
        const key = `${name}, 60,000 digits, batch 128, ${threads} thread${threads > 1 ? "s" : ""}`;
        const seconds = (performance.now() - start) / 1e3;
        times.set(key, [...(times.get(key) ?? []), seconds]);
        const { user, system } = process.cpuUsage(before);
        // On a busy machine this says what the time would be: as much, or its part for each thread.
        processor.set(key, Math.min(processor.get(key) ?? Number.POSITIVE_INFINITY, (user + system) / 1e6));
        const rate = (2 * MULTIPLY_ADDS[name] * samples.labels.length) / least(times.get(key)!) / 1e9;
        figures.set(key, `${processor.get(key)?.toFixed(2)} s of processor time; ${rate.toFixed(1)} GFLOP/s, loss ${loss.toFixed(6)}`);
      }
    }
  }
  for (const [key, each] of times) {
    say(`${key}, best and median`, `${least(each).toFixed(2)} s, ${median(each).toFixed(2)} s; ${figures.get(key)}`);
  }
}
