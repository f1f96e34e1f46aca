// node scripts/run.mjs examples/train-lenet-300-100.ts [--seed 1] [--epochs 30] [--out lenet-300-100.safetensors]
// Trains LeNet-300-100 on MNIST, 55,000 digits to train on, 5,000 held out to watch it by; the 10,000 test digits are counted once, at the end.
// The same seed and epochs give the same bytes.

import { parseArgs } from "node:util";
import { type EpochReport, Sequential, train } from "../src/nn/index.js";
import { writeWhole } from "../src/pipeline/output.js";
import { LENET_300_100, safetensorsBytes } from "./lenet-300-100.js";
import { loadMnist, samplesOf, shift } from "./mnist.js";

const HELD_OUT = 5000;
const DIVISOR = 255;

const { values } = parseArgs({
  options: { seed: { type: "string", default: "1" }, epochs: { type: "string", default: "30" }, out: { type: "string" } },
});
const seed = Number(values.seed);
const epochs = Number(values.epochs);

const percent = (fraction: number): string => `${(100 * fraction).toFixed(2)} %`;

const digits = await loadMnist("train");
const samples = samplesOf(digits, DIVISOR, 0, digits.count - HELD_OUT);
const heldOut = samplesOf(digits, DIVISOR, digits.count - HELD_OUT);
const network = new Sequential(LENET_300_100, { seed });

let since = performance.now();
function onEpoch({ epoch, loss, learningRate }: EpochReport): void {
  const { accuracy } = network.evaluate(heldOut);
  const seconds = (performance.now() - since) / 1000;
  console.log(
    `epoch ${epoch} of ${epochs}: loss ${loss.toFixed(4)}, held out ${percent(accuracy)}, rate ${learningRate.toFixed(4)}, ${seconds.toFixed(1)} s`,
  );
  since = performance.now();
}

train(network, samples, {
  epochs,
  seed,
  learningRate: 0.1,
  momentum: 0.9,
  weightDecay: 0.0002,
  schedule: { type: "cosine" },
  // By one pixel at most: no digit of MNIST touches the edge, and each is then nine to learn from.
  augment: (image, random) => shift(image, Math.floor(3 * random()) - 1, Math.floor(3 * random()) - 1),
  onEpoch,
});

const { accuracy, correct, count } = network.evaluate(samplesOf(await loadMnist("test"), DIVISOR));
console.log(`test: ${percent(accuracy)} (${correct} of ${count})`);

if (values.out !== undefined) {
  const metadata = new Map([
    ["input", `pixel / ${DIVISOR}`],
    ["accuracy", `${percent(accuracy)} of the 10,000 test digits of MNIST`],
    ["trained_by", `node scripts/run.mjs examples/train-lenet-300-100.ts --seed ${seed} --epochs ${epochs}`],
  ]);
  await writeWhole(values.out, true, (sink) => sink(safetensorsBytes(network.tensors(), metadata)));
  console.log(`${values.out} written`);
}
