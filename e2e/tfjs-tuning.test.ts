import path from "node:path";
import { pathToFileURL } from "node:url";
import * as tf from "@tensorflow/tfjs";
import { beforeEach, describe, expect, it } from "vitest";
import { ROOT } from "./paths.ts";

// A model of TF.js is pruned, retrained, shared and fine-tuned, its gradients from TF.js and nothing of coppice/nn but what is for typed arrays.

const { aggregateGradient, CodebookTuner, maskGradient } = (await import(
  pathToFileURL(path.join(ROOT, "dist/nn.js")).href
)) as typeof import("coppice/nn");

const SAMPLES = 150;
const CLASSES = 3;

/** Three arms of a spiral. */
const inputs = Float32Array.from({ length: 2 * SAMPLES }, (_, i) => {
  const sample = i >> 1;
  const along = (sample - (sample % CLASSES)) / SAMPLES;
  const angle = 4 * along + (2 * Math.PI * (sample % CLASSES)) / CLASSES;
  return along * (i % 2 === 0 ? Math.cos(angle) : Math.sin(angle));
});
const labels = Int32Array.from({ length: SAMPLES }, (_, sample) => sample % CLASSES);

function dense(units: number, seed: number, inputShape?: number[]): tf.layers.Layer {
  return tf.layers.dense({
    units,
    inputShape,
    activation: inputShape ? "relu" : "linear",
    kernelInitializer: tf.initializers.heUniform({ seed }),
  });
}

/** The matrices, which are pruned and shared; the biases go on as they are. */
const KERNELS = [0, 2] as const;

/** How many weights there are that differ and are not 0. */
const distinct = (weights: Float32Array): number => new Set(weights.filter((weight) => weight !== 0)).size;

describe("a model of TF.js", () => {
  let model: tf.Sequential;

  beforeEach(async () => {
    await tf.setBackend("cpu");
    model = tf.sequential({ layers: [dense(32, 1, [2]), dense(CLASSES, 2)] });
  });

  const values = (i: number): Float32Array => model.trainableWeights[i].read().dataSync() as Float32Array;

  function write(i: number, weights: Float32Array): void {
    const variable = model.trainableWeights[i];
    const tensor = tf.tensor(weights, variable.shape as number[]);
    variable.write(tensor);
    tensor.dispose();
  }

  function gradients(): { loss: number; slopes: Float32Array[] } {
    return tf.tidy(() => {
      const { value, grads } = tf.variableGrads(() => {
        const logits = model.apply(tf.tensor2d(inputs, [SAMPLES, 2])) as tf.Tensor2D;
        return tf.losses.softmaxCrossEntropy(tf.oneHot(tf.tensor1d(labels, "int32"), CLASSES), logits) as tf.Scalar;
      });
      const slopes = model.trainableWeights.map(({ name }) => grads[name]);
      return { loss: value.dataSync()[0], slopes: slopes.map((slope) => slope.dataSync().slice() as Float32Array) };
    });
  }

  /** Adam of TF.js, with what `change` makes of the gradients. */
  function train(steps: number, change: (slopes: Float32Array[]) => void = () => {}): void {
    const adam = tf.train.adam(0.02);
    for (let step = 0; step < steps; step++) {
      const { slopes } = gradients();
      change(slopes);
      tf.tidy(() =>
        adam.applyGradients(
          model.trainableWeights.map((weight, i) => ({ name: weight.name, tensor: tf.tensor(slopes[i], weight.shape as number[]) })),
        ),
      );
    }
    adam.dispose();
  }

  it("is pruned, retrained, shared and fine-tuned: the loss falls, what was pruned stays 0, and the number of different weights stays", () => {
    const untrained = gradients().loss;
    train(150);
    const dense = gradients().loss;
    expect(dense).toBeLessThan(untrained / 4);

    const masks = KERNELS.map((i) => {
      const weights = values(i);
      const threshold = weights.map(Math.abs).sort()[Math.floor(weights.length * 0.4)];
      const mask = Uint8Array.from(weights, (weight) => (Math.abs(weight) >= threshold ? 1 : 0));
      const pruned = weights.map((weight, j) => weight * mask[j]);
      write(i, pruned);
      return mask;
    });
    const expectPruned = (): void => {
      for (const [k, i] of KERNELS.entries()) expect(Uint8Array.from(values(i), (weight) => (weight === 0 ? 0 : 1))).toEqual(masks[k]);
    };
    const pruned = gradients().loss;
    expect(pruned).toBeGreaterThan(dense);
    train(100, (slopes) => {
      for (const [k, i] of KERNELS.entries()) maskGradient(slopes[i], masks[k]);
    });
    const retrained = gradients().loss;
    expect(retrained).toBeLessThan(pruned);
    expectPruned();

    const tuners = KERNELS.map((i) => new CodebookTuner(values(i), { share: { bits: 2 } }));
    for (const [k, i] of KERNELS.entries()) write(i, tuners[k].weights());
    const shared = gradients().loss;
    expect(shared).toBeGreaterThan(retrained);

    for (let step = 0; step < 200; step++) {
      const { slopes } = gradients();
      for (const [k, i] of KERNELS.entries()) {
        tuners[k].step(slopes[i], { learningRate: 0.01, momentum: 0.9 });
        write(i, tuners[k].weights());
      }
    }
    for (const [k, i] of KERNELS.entries()) {
      tuners[k].finish();
      write(i, tuners[k].weights());
      expect(distinct(values(i))).toBe(4);
    }
    expectPruned();
    const lost = shared - retrained;
    expect(gradients().loss, "at least half of what sharing lost is back").toBeLessThan(shared - lost / 2);
  });

  it("has the gradients of its centroids from those of its weights", () => {
    const start = values(0);
    const tuner = new CodebookTuner(start, { share: { bits: 2 } });
    write(0, tuner.weights());
    const { codes, centroids, mask } = tuner;
    const [slopes] = gradients().slopes;
    tuner.step(slopes, { learningRate: 0.5 });
    maskGradient(slopes, mask);
    const slope = aggregateGradient(slopes, codes, centroids.length);
    expect(Math.max(...slope.map(Math.abs))).toBeGreaterThan(1e-3);
    expect([...tuner.centroids]).toEqual([...centroids.map((centroid, j) => centroid - Math.fround(0.5 * slope[j]))]);
  });
});
