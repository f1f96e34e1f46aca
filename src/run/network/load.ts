import { checkNumber, checkOneOf } from "../../check.js";
import type { Archive } from "../../decode/index.js";
import { newRunner } from "../../kernels/runner.js";
import { VARIANTS, type Variant } from "../../kernels/variant.js";
import { type Shape, shapesOf, sizeOf } from "../../network/shapes.js";
import { checkSpec, type NetworkSpec } from "../../network/spec.js";
import { openedOf } from "../load.js";
import { type ReadOptions, readMatrix, readRows } from "../read.js";
import { type Added, addSoftmax, addStage, type Loaded } from "./layers.js";
import { Network, type NetworkLayer } from "./network.js";
import { Plan } from "./plan.js";
import { contiguous } from "./planes.js";
import { roomFor } from "./room.js";
import { type Stage, stagesOf } from "./stages.js";
import { affineOf, afterOf, biasFor, normFor, weightsFor } from "./tensors.js";

export interface LoadNetworkOptions {
  /** Whether the outputs are probabilities, softmax of what the last layer gives; false unless given. */
  readonly softmax?: boolean;
  /** The best that this runtime can run, unless given. */
  readonly variant?: Variant;
  /** Bytes that what goes from layer to layer may take, 1 GiB unless given: it follows from the network's JSON, and more is refused before anything of the archive is read. */
  readonly maxBytes?: number;
  /** Stops the work: the signal's reason comes out of it. */
  readonly signal?: AbortSignal;
}

/** Some forty times what VGG-16 takes. Without a bound a few letters of JSON, such as a padding, would take all the memory that there is. */
const MAX_BYTES = 2 ** 30;

/**
 * Loads a sequential network whose tensors are in an archive: it runs from their sparse, shared form, at 3 bytes a survivor, 6 where a tensor has more than 256 different values. No dense matrix is made, unless of a linear layer that takes less memory so.
 *
 * @param archive the bytes of a `.coppice` file, or what `open` of `coppice/decode` gave
 * @param net the network in JSON, as `coppice/nn` and `coppice train` take it; layers find their tensors by their names: NAME.weight, NAME.bias
 * @throws FormatError where the archive is at fault; TypeError, RangeError naming the layer, the tensor or the option; the reason of `options.signal`
 */
export async function loadNetwork(archive: Uint8Array | Archive, net: NetworkSpec, options: LoadNetworkOptions = {}): Promise<Network> {
  const { softmax = false, variant, maxBytes = MAX_BYTES, signal } = options;
  if (typeof softmax !== "boolean") throw new TypeError("softmax must be true or false");
  if (variant !== undefined) checkOneOf(variant, "variant", VARIANTS);
  checkNumber(maxBytes, "maxBytes", 0, Infinity);
  checkSpec(net);
  // Its caller may change it while the archive is read.
  const spec = structuredClone(net);
  const shapes = shapesOf(spec);
  const stages = stagesOf(spec.layers, shapes);
  roomFor(stages, shapes[0], maxBytes);
  const opened = await openedOf(archive, signal);
  for (const stage of stages) checkTensors(opened, stage);

  const runner = newRunner({ variant });
  const plan = new Plan(contiguous(shapes[0]));
  const layers: NetworkLayer[] = [];
  const reading = { runner: newRunner({ variant }), signal };
  const { arena } = reading.runner;
  const mark = arena.top;
  for (const stage of stages) {
    arena.release(mark);
    const loaded = await readStage(opened, stage, reading);
    const added = withinMemory(stage.title, () => addStage(plan, runner, stage, loaded));
    layers.push(described(stage, loaded, added));
  }
  if (softmax) addSoftmax(plan, runner);
  const course = withinMemory("the network, between its layers,", () => plan.finish(runner));
  return new Network({ course, layers, input: shapes[0], output: shapes[shapes.length - 1] });
}

/** @throws RangeError naming what there is no memory for */
function withinMemory<T>(title: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof RangeError) throw new RangeError(`${title} takes more memory than there is: ${error.message}`);
    throw error;
  }
}

/** Nothing is read before it is known that all is there. */
function checkTensors(archive: Archive, stage: Stage): void {
  const { layer, title, norm, normTitle = title } = stage;
  weightsFor(archive, stage);
  biasFor(archive, stage);
  if (norm !== undefined) normFor(archive, normTitle, norm);
  if (layer.type === "batchnorm") normFor(archive, title, layer);
}

async function readStage(archive: Archive, stage: Stage, options: ReadOptions): Promise<Loaded> {
  const { layer, title } = stage;
  if (layer.type === "batchnorm") return { after: {}, affine: await affineOf(archive, title, layer, options) };
  const entry = weightsFor(archive, stage);
  if (entry === undefined) return { after: {} };
  const [rows, ...rest] = entry.shape;
  const after = await afterOf(archive, stage, options);
  // Of a convolution the dense form is no faster, and there is no kernel for it.
  const read = layer.type === "conv2d" ? readRows : readMatrix;
  return { weights: await read(archive, entry, { rows, columns: sizeOf(rest) }, options), after };
}

function described({ layer, outShape }: Stage, { weights }: Loaded, added: Added | undefined): NetworkLayer {
  const shape: Shape = [...outShape];
  const name = "name" in layer ? { name: layer.name } : {};
  if (weights === undefined || added === undefined) return { type: layer.type, ...name, shape, weights: 0, survivors: 0 };
  return { type: layer.type, ...name, shape, weights: weights.rows * weights.columns, ...added };
}
