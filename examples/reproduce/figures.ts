import { compress } from "../../src/index.js";
import { type NetworkSpec, type Samples, Sequential, type Tensor } from "../../src/nn/index.js";
import { decode } from "../../src/pipeline/decode.js";
import type { Rule } from "../../src/pipeline/recipe.js";
import type { Stage, TrainingRecipe } from "../../src/train/index.js";
import { rulesByTensor } from "../../src/train/rules.js";
import { type Done, type Setting, train } from "./runs.js";

/** What a network is at a stage. */
export interface Point {
  readonly stage: string;
  /** On the test images, 0 to 1. */
  readonly error: number;
  readonly bytes: number;
  readonly ratio: number;
  /** Of the stage; undefined where nothing was trained. */
  readonly seconds?: number;
}

/** On the test images. */
export interface Measured {
  /** 0 to 1. */
  readonly error: number;
  /** Mean cross-entropy, in nats. */
  readonly loss: number;
}

/** How well the codebooks of so many bits do. */
export interface Tuned {
  readonly bits: number;
  /** Before sharing, shared, and with its codebooks fine-tuned. */
  readonly pruned: Measured;
  readonly shared: Measured;
  readonly tuned: Measured;
  readonly bytes: number;
}

export function parameterBytes(tensors: readonly Tensor[]): number {
  return tensors.reduce((sum, { data }) => sum + data.length, 0);
}

export function measure(net: NetworkSpec, tensors: readonly Tensor[], samples: Samples): Measured {
  const network = new Sequential(net);
  network.load(tensors);
  const { accuracy, loss } = network.evaluate(samples);
  return { error: 1 - accuracy, loss };
}

/** The stages of a training, dense first. What is shared comes without its file: the last stage's is it. */
export function pointsOf({ report }: Done): Point[] {
  return report.stages.map(({ name, after, seconds, epochs }) => ({
    stage: name,
    error: 1 - after.test!,
    bytes: after.bytes,
    ratio: after.ratio,
    ...(epochs.length > 0 && { seconds }),
  }));
}

/** The dense network pruned and shared as far as a training went, tensor by tensor, without any retraining. */
export async function withoutRetraining(
  dense: readonly Tensor[],
  done: Done,
  recipe: TrainingRecipe,
  net: NetworkSpec,
  test: Samples,
): Promise<Point> {
  const shared = recipe.stages.flatMap((stage) => (stage.type === "share" ? stage.rules : []));
  const shares = new Map(
    rulesByTensor(
      shared,
      done.report.tensors.map(({ name }) => name),
    ),
  );
  const rules = done.report.tensors.flatMap(({ name, density, codebook }): Rule[] => {
    const prune = density < 1 && { prune: { sparsity: 1 - density } };
    // Where the archive has no codebook, since survivors take less without one, the recipe says how they were shared.
    const share = codebook > 0 ? { centroids: codebook } : shares.get(name)?.share;
    return prune || share ? [{ match: name, ...prune, ...(share && { share }) }] : [];
  });
  const contexts = recipe.archive?.contexts ?? "all";
  const { archive } = await compress(dense, { recipe: { rules, contexts } });
  const tensors = decode(archive);
  return {
    stage: "without retraining",
    error: measure(net, tensors, test).error,
    bytes: archive.length,
    ratio: parameterBytes(dense) / archive.length,
  };
}

/** The pruned network shared with fewer and fewer centroids, and their codebooks fine-tuned: the paper's Figure 3. */
export async function tunedCodebooks(
  title: string,
  paper: Done,
  recipe: TrainingRecipe,
  setting: Setting,
  test: Samples,
): Promise<Tuned[]> {
  const after = recipe.stages.findIndex(({ name }) => name === "shared");
  const pruned = paper.stages.get("pruned")!;
  const found: Tuned[] = [];
  for (const bits of [2, 3, 4]) {
    const stages: Stage[] = [
      { type: "train", name: "pruned", epochs: 0 },
      { type: "share", name: "shared", epochs: 0, rules: [{ match: "*.weight", share: { bits } }] },
      ...recipe.stages.slice(after + 1),
    ];
    const done = await train(`${title}-${bits}`, { ...recipe, stages }, setting, pruned);
    const of = (stage: string): Measured => measure(setting.net, done.stages.get(stage)!, test);
    found.push({ bits, pruned: of("pruned"), shared: of("shared"), tuned: of("fine-tuned"), bytes: done.report.archive.bytes });
  }
  return found;
}
