import type { Convolution } from "../../kernel-types.js";
import { at, type Ptr } from "../../kernels/arena.js";
import type { Runner } from "../../kernels/runner.js";
import { layOut } from "../lay-out.js";
import { LINE, panelsOf, type RowLines } from "../lines.js";
import { lendFloats } from "./lend.js";
import { offsetsOf, type Places, placesOf } from "./places.js";
import type { Plan } from "./plan.js";
import type { After } from "./tensors.js";

/** 2^8 columns of the weights are worked by all outputs before the next: what they see of a tile's lanes stays in the first-level cache. */
const BLOCK_LOG = 8;

/** Weights where they are, and their products. */
interface Product {
  readonly survivors: number;
  /** Y = W X of `rows` outputs from `first` on, with what comes after: f32[rows][lanes]. */
  run(first: number, rows: number, x: Ptr, y: Ptr): void;
}

interface Lanes {
  /** u32[columns]: bytes from x to each column's lanes. */
  readonly offsets: Ptr;
  readonly count: number;
  /** Bytes from an output to the next. */
  readonly stride: number;
  readonly relu: boolean;
}

/** The address `bytes` into something that may not be there, at address 0. */
const into = (ptr: Ptr, bytes: number): Ptr => (ptr === 0 ? ptr : at(ptr, bytes));

/** u32[rows * blocks + 1]: where the entries begin that a row has in each block of columns. */
function blockPointers({ arena }: Runner, laid: RowLines, blocks: number): Ptr {
  const { rows, columns, survivors } = laid;
  const panels = panelsOf(laid, "rows");
  const found = arena.alloc(4 * (rows * blocks + 1));
  const lines = arena.u32(laid.pointers, rows * panels + 1);
  const indices = arena.u16(laid.indices, survivors);
  const pointers = arena.u32(found, rows * blocks + 1);
  const perLine = LINE >> BLOCK_LOG;
  for (let row = 0, to = 0; row < rows; row++) {
    for (let panel = 0; panel < panels; panel++) {
      const end = lines[row * panels + panel + 1];
      const width = Math.min(LINE, columns - panel * LINE);
      let entry = lines[row * panels + panel];
      for (let block = 0; block < Math.min(perLine, Math.ceil(width / 2 ** BLOCK_LOG)); block++) {
        while (entry < end && indices[entry] < block * 2 ** BLOCK_LOG) entry++;
        pointers[to++] = entry;
      }
    }
  }
  pointers[rows * blocks] = survivors;
  return found;
}

function productOf(runner: Runner, lines: RowLines, { scale, bias }: After, lanes: Lanes): Product {
  const laid = layOut(runner, lines, "rows");
  const blocks = Math.ceil(laid.columns / 2 ** BLOCK_LOG);
  const pointers = blockPointers(runner, laid, blocks);
  const [scales, biases] = [lendFloats(runner, scale), lendFloats(runner, bias)];
  const places = runner.arena.alloc(4 * 2 ** BLOCK_LOG);
  const { indices, weights, columns } = laid;
  const codebook = lendFloats(runner, laid.codebook);
  return {
    survivors: laid.survivors,
    run(first, rows, x, y) {
      runner.exports.convolve(
        ...([at(pointers, 4 * first * blocks), columns, BLOCK_LOG, indices, weights, codebook] as const),
        ...([into(biases, 4 * first), into(scales, 4 * first), lanes.offsets, places] as const),
        ...([x, lanes.count, rows, y, lanes.stride, lanes.relu] as const),
      );
    },
  };
}

/** Adds the step that spreads the inputs of a convolution. */
function addSpread(plan: Plan, { exports }: Runner, { stride, padding }: Convolution, { phases, inputs }: Places): void {
  const { planes } = plan;
  plan.move(inputs, (x, y) =>
    exports.spread(
      ...([x, 4 * planes.pitch, 4 * planes.stride, planes.channels, planes.height, planes.width] as const),
      ...([...stride, phases.down, phases.right, phases.step, ...padding] as const),
      ...([y, 4 * inputs.stride, inputs.height, inputs.width] as const),
    ),
  );
}

/** Adds a convolution to the steps of a network: no patches, each plane of the outputs is one run of lanes. Gives the survivors among its weights. */
export function addConvolution(
  plan: Plan,
  runner: Runner,
  convolution: Convolution,
  weights: RowLines,
  after: After,
  relu: boolean,
): number {
  const { groups, out } = convolution;
  const places = placesOf(plan.planes, convolution);
  if (places.spread) addSpread(plan, runner, convolution, places);
  const { outputs, perGroup } = places;
  plan.room.reach(places.reads);

  const numbers = offsetsOf(convolution, places);
  const offsets = runner.arena.alloc(4 * numbers.length);
  runner.arena.u32(offsets, numbers.length).set(numbers.map((number) => 4 * number));
  const lanes = { offsets, count: places.lanes, stride: 4 * outputs.stride, relu };
  const product = productOf(runner, weights, after, lanes);
  const rows = out / groups;
  plan.move(
    outputs,
    (x, y) => {
      for (let group = 0; group < groups; group++)
        product.run(group * rows, rows, at(x, 4 * group * perGroup), at(y, 4 * group * rows * outputs.stride));
    },
    places.writes,
  );
  return product.survivors;
}
