import { type Shape, titleOf } from "../../network/shapes.js";
import type { BatchNormSpec, LayerSpec } from "../../network/spec.js";

/** Layers of a network that run as one. */
export interface Stage {
  readonly layer: Exclude<LayerSpec, { readonly type: "dropout" }>;
  /** By what errors name it. */
  readonly title: string;
  /** A batch normalization behind a layer that has weights: its factors and sums are those of the outputs. */
  readonly norm?: BatchNormSpec;
  /** The title of that. */
  readonly normTitle?: string;
  /** Whether a ReLU comes behind it. */
  readonly relu: boolean;
  /** What comes in, and what goes out. */
  readonly shape: Shape;
  readonly outShape: Shape;
}

/** What runs: dropout does nothing, and what can be done with the outputs of a layer while they are made is. */
export function stagesOf(layers: readonly LayerSpec[], shapes: readonly Shape[]): Stage[] {
  const stages: Stage[] = [];
  for (const [i, layer] of layers.entries()) {
    if (layer.type === "dropout") continue;
    const title = titleOf(layer, i);
    const last = stages[stages.length - 1];
    const weighted = last?.layer.type === "linear" || last?.layer.type === "conv2d";
    if (weighted && !last.relu && layer.type === "relu") stages[stages.length - 1] = { ...last, relu: true };
    else if (weighted && !last.relu && last.norm === undefined && layer.type === "batchnorm")
      stages[stages.length - 1] = { ...last, norm: layer, normTitle: title };
    else stages.push({ layer, title, relu: false, shape: shapes[i], outShape: shapes[i + 1] });
  }
  return stages;
}
