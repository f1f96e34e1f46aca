import { compress } from "../../src/index.js";
import { type NetworkSpec, type Samples, Sequential, type Tensor } from "../../src/nn/index.js";
import { decode } from "../../src/pipeline/decode.js";
import type { Rule } from "../../src/pipeline/recipe.js";
import type { Stage, TrainingRecipe } from "../../src/train/index.js";
import { rulesByTensor } from "../../src/train/rules.js";
import { fixedLength } from "./fixed-length.js";
import { type Done, type Setting, train } from "./runs.js";

/** What a network is at a stage. */
export interface Point {
  readonly stage: string;
  /** 0 to 1. */
  readonly error: number;
  readonly bytes: number;
  readonly ratio: number;
  /** Of the stage; undefined where nothing was trained. */
  readonly seconds?: number;
}

export interface Measured {
  /** 0 to 1. */
  readonly error: number;
  /** Mean cross-entropy, in nats. */
  readonly loss: number;
}

/** What errors are of. */
export interface Judges {
  /** The digits that are held out of training, to choose by. */
  readonly heldOut: Samples;
  /** The test images; undefined where nobody is to see them. */
  readonly test?: Samples;
}

/** Codebooks of so many bits: before sharing, shared, and fine-tuned. */
export interface Tuned {
  readonly bits: number;
  readonly heldOut: readonly Measured[];
  readonly test?: readonly Measured[];
  /** Of the archive. */
  readonly bytes: number;
}

/** A setting, trained with one seed. */
export interface Outcome {
  readonly done: Done;
  /** Stage by stage, and the archive. */
  readonly points: readonly Point[];
  readonly untrained: Point;
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

/** The stages with codes and gaps of fixed lengths, as the paper counts them, and at last the archive, whose error is that of what comes out of it. */
function pointsOf({ report, stages, archive }: Done, recipe: TrainingRecipe, net: NetworkSpec, samples: Samples): Point[] {
  const parameters = report.archive.parameterBytes;
  const point = (stage: string, tensors: readonly Tensor[], bytes: number, seconds?: number): Point => ({
    ...{ stage, bytes, seconds, ratio: parameters / bytes },
    error: measure(net, tensors, samples).error,
  });
  const coded = recipe.archive?.contexts === "none" ? "Huffman-coded: the file" : "coded: the file";
  return [
    ...report.stages.map(({ name, seconds, epochs }) => {
      const tensors = stages.get(name)!;
      const bytes = tensors.reduce((sum, tensor) => sum + fixedLength(tensor).bytes, 0);
      return point(name, tensors, bytes, epochs.length > 0 ? seconds : undefined);
    }),
    point(coded, decode(archive), archive.length),
  ];
}

/** Trains a setting, and measures it. */
export async function outcomeOf(
  title: string,
  recipe: TrainingRecipe,
  setting: Setting,
  dense: readonly Tensor[],
  samples: Samples,
): Promise<Outcome> {
  const done = await train(title, recipe, setting, dense);
  const points = pointsOf(done, recipe, setting.net, samples);
  return { done, points, untrained: await withoutRetraining(dense, done, recipe, setting.net, samples) };
}

/** The dense network pruned and shared as far as a training went, tensor by tensor, without any retraining. */
async function withoutRetraining(
  dense: readonly Tensor[],
  done: Pick<Done, "report">,
  recipe: TrainingRecipe,
  net: NetworkSpec,
  samples: Samples,
): Promise<Point> {
  const { archive, tensors } = await ablate(dense, done, recipe);
  return {
    stage: "without retraining: the file",
    error: measure(net, tensors, samples).error,
    bytes: archive.length,
    ratio: parameterBytes(dense) / archive.length,
  };
}

/** The archive of `withoutRetraining`, and what comes out of it: as many survivors and centroids in each tensor as the training left. */
export async function ablate(
  dense: readonly Tensor[],
  { report }: Pick<Done, "report">,
  recipe: TrainingRecipe,
): Promise<{ archive: Uint8Array; tensors: Tensor[] }> {
  const shared = recipe.stages.flatMap((stage) => (stage.type === "share" ? stage.rules : []));
  const names = report.tensors.map(({ name }) => name);
  const shares = new Map(rulesByTensor(shared, names));
  const rules = report.tensors.flatMap(({ name, density, codebook }): Rule[] => {
    const prune = density < 1 && { prune: { sparsity: 1 - density } };
    // Where the archive has no codebook, since survivors take less without one, the recipe says how they were shared.
    const share = codebook > 0 ? { centroids: codebook } : shares.get(name)?.share;
    return prune || share ? [{ match: name, ...prune, ...(share && { share }) }] : [];
  });
  const { archive } = await compress(dense, { recipe: { rules, contexts: recipe.archive?.contexts ?? "all" } });
  return { archive, tensors: decode(archive) };
}

/** The pruned network of the paper's setting, its weights shared with 2, 3 and 4 bits, and their codebooks fine-tuned as `recipe` says: the paper's Figure 3. */
export async function tunedCodebooks(
  title: string,
  pruned: readonly Tensor[],
  recipe: TrainingRecipe,
  setting: Setting,
  { heldOut, test }: Judges,
): Promise<Tuned[]> {
  const found: Tuned[] = [];
  for (const bits of [2, 3, 4]) {
    const stages = recipe.stages.map((stage): Stage => {
      if (stage.type !== "share") return stage;
      return { ...stage, rules: stage.rules.map((rule) => (rule.match === "*.weight" ? { ...rule, share: { bits } } : rule)) };
    });
    const done = await train(`${title}-${bits}`, { ...recipe, stages }, setting, pruned);
    const by = (samples: Samples): Measured[] => Array.from(done.stages.values(), (tensors) => measure(setting.net, tensors, samples));
    found.push({ bits, heldOut: by(heldOut), ...(test && { test: by(test) }), bytes: done.archive.length });
  }
  return found;
}
