import type { Runner } from "../../kernels/runner.js";
import { convolutionOf, windowsOf } from "../../network/shapes.js";
import type { LocalResponseNormSpec } from "../../network/spec.js";
import type { RowLines } from "../lines.js";
import type { Dense } from "../read.js";
import { Share } from "../share.js";
import { addConvolution } from "./convolution.js";
import { lendAffine } from "./lend.js";
import type { Plan } from "./plan.js";
import { contiguous, extentOf, flattened, isContiguous, planeOf } from "./planes.js";
import type { Stage } from "./stages.js";
import type { Affine, After } from "./tensors.js";

// What each kind of layer adds to the steps of a network.

/** y = W x and what comes after. */
function addLinear(plan: Plan, runner: Runner, weights: RowLines | Dense, { scale, bias }: After, relu: boolean): Added {
  const { exports, variant } = runner;
  const { rows } = weights;
  if (scale === undefined) {
    const share = new Share(weights, { bias, relu, layout: "auto", variant });
    plan.linear(share);
    return { survivors: share.survivors, layout: share.layout };
  }
  const share = new Share(weights, { relu: false, layout: "auto", variant });
  const by = lendAffine(runner, { scale, shift: bias ?? new Float32Array(rows) });
  plan.linear(share);
  plan.stay((y) => {
    exports.normalize(y, 1, rows, 1, by, y);
    if (relu) exports.relu(y, rows);
  });
  return { survivors: share.survivors, layout: share.layout };
}

/** The layer's numbers without a space between them. */
function addFlatten(plan: Plan, { exports }: Runner): void {
  const { planes } = plan;
  const flat = flattened(planes);
  if (isContiguous(planes)) {
    plan.room.planes = flat;
    return;
  }
  const { channels, height, width } = planes;
  plan.move(flat, (x, y) =>
    exports.spread(
      ...([x, 4 * planes.pitch, 4 * planes.stride, channels, height, width] as const),
      ...([1, 1, 1, 1, 1, 0, 0, y, 4 * height * width, height, width] as const),
    ),
  );
}

function addPool(plan: Plan, { exports }: Runner, { layer, shape }: Stage): void {
  if (layer.type !== "maxpool2d" && layer.type !== "averagepool2d") return;
  const { planes } = plan;
  const { channels, height, width, kernel, stride, padding, outHeight, outWidth } = windowsOf(layer, shape);
  plan.room.scratch(width);
  const pool = layer.type === "maxpool2d" ? exports.poolLargest : exports.poolMean;
  plan.move(contiguous([channels, outHeight, outWidth]), (x, y, row) =>
    pool(
      ...([x, 4 * planes.pitch, 4 * planes.stride, channels, height, width] as const),
      ...([...kernel, ...stride, ...padding, outHeight, outWidth, row, y] as const),
    ),
  );
}

function addNormalizeAcross(plan: Plan, { exports }: Runner, { size, alpha = 1e-4, beta = 0.75, k = 1 }: LocalResponseNormSpec): void {
  const { planes } = plan;
  const { channels, height, width, pitch, stride } = planes;
  const count = (height - 1) * pitch + width;
  plan.move(planes, (x, y) => exports.normalizeAcross(x, channels, count, 4 * stride, size, alpha / size, beta, k, y));
}

function addAffine(plan: Plan, runner: Runner, affine: Affine): void {
  const features = affine.scale.length;
  const { planes } = plan;
  const plane = planeOf(planes, features);
  const by = lendAffine(runner, affine);
  // What stands between the planes, and behind the last, goes along.
  plan.room.reach(features * plane);
  plan.stay((values) => runner.exports.normalize(values, 1, features, plane, by, values));
}

/** What was read for a stage. */
export interface Loaded {
  readonly weights?: RowLines | Dense;
  readonly after: After;
  /** Of a batch normalization that is a stage of its own. */
  readonly affine?: Affine;
}

/** What there is to say of a layer's weights. */
export type Added = Pick<Share, "survivors" | "layout">;

/** Adds a stage; gives what there is to say of its weights, where it has some. */
export function addStage(plan: Plan, runner: Runner, stage: Stage, { weights, after, affine }: Loaded): Added | undefined {
  const { layer, relu } = stage;
  if (layer.type === "conv2d" && weights !== undefined && "order" in weights)
    return { survivors: addConvolution(plan, runner, convolutionOf(layer, stage.shape), weights, after, relu), layout: "rows" };
  if (layer.type === "linear" && weights !== undefined) return addLinear(plan, runner, weights, after, relu);
  if (layer.type === "flatten") addFlatten(plan, runner);
  else if (layer.type === "localresponsenorm") addNormalizeAcross(plan, runner, layer);
  else if (layer.type === "batchnorm" && affine !== undefined) addAffine(plan, runner, affine);
  else if (layer.type === "relu") {
    const length = extentOf(plan.planes);
    plan.stay((values) => runner.exports.relu(values, length));
  } else addPool(plan, runner, stage);
  return undefined;
}

/** Turns what the last step leaves into probabilities. */
export function addSoftmax(plan: Plan, { exports }: Runner): void {
  const length = extentOf(plan.planes);
  plan.stay((values) => exports.softmax(values, length));
}
