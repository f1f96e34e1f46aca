import type { Convolution } from "../../kernel-types.js";
import type { Planes } from "./planes.js";

// How the inputs of a convolution stand, and its outputs: assembly/run/convolve.ts and planes.ts. All of an output plane is one run of lanes, whose rows are as far apart as those of the inputs.

/** Planes that a channel is spread to: the phases of the stride that the kernel meets. Those of the columns may be there in several sets, each with what the kernel's next few taps see. */
interface Phases {
  readonly down: number;
  readonly right: number;
  /** Columns of the inputs from a set of phases, as many as the stride, to the next. */
  readonly step: number;
}

export interface Places {
  readonly phases: Phases;
  /** The inputs as they are, or spread: zeros around them, the phases of a channel one after the other. */
  readonly inputs: Planes;
  readonly spread: boolean;
  /** Numbers from a group's first input to the next group's. */
  readonly perGroup: number;
  /** Lanes of an output plane that are worked. */
  readonly lanes: number;
  /** Numbers from the first input to behind the last that is read. */
  readonly reads: number;
  readonly outputs: Planes;
  /** Numbers of the outputs that are written. */
  readonly writes: number;
}

/** Sets of the first-level cache times their lines, in numbers: what stands so far apart shares a set. */
const SAME_SET = 1024;
const LINE = 16;

/** As many numbers, or somewhat more: planes are not to share the sets of the cache. */
function apart(length: number): number {
  const over = length % SAME_SET;
  return over < LINE || over > SAME_SET - LINE ? length + 2 * LINE : length;
}

/** Lanes of a tile of the kernel of convolutions. */
const TILE = 28;

/** Lanes that the kernel takes: as many, or so many more that the last tile is a whole one, or one of 16 or 8. */
function lanesFor(count: number): number {
  const over = count % TILE;
  return count - over + (over > 16 ? TILE : over > 8 ? 16 : over > 0 ? 8 : 0);
}

/** Taps that see the same phase, one place further each, down or to the right. */
function runOf({ kernel, stride }: Convolution, axis: 0 | 1): number {
  return Math.ceil(kernel[axis] / stride[axis]);
}

function placed(convolution: Convolution, phases: Phases, inputs: Planes, spread: boolean): Places {
  const { channels, groups, out, outHeight, outWidth, stride } = convolution;
  const { pitch } = inputs;
  const perChannel = phases.down * phases.right * inputs.stride;
  const lanes = lanesFor((outHeight - 1) * pitch + outWidth);
  const lastTap = (runOf(convolution, 0) - 1) * pitch + phases.step / stride[1] - 1;
  const outputs = { channels: out, height: outHeight, width: outWidth, pitch, stride: apart(lanes) };
  return {
    ...{ phases, inputs, spread, lanes, outputs },
    perGroup: (channels / groups) * perChannel,
    reads: channels * perChannel - inputs.stride + lastTap + lanes,
    writes: out * outputs.stride,
  };
}

/** Inputs spread so that a plane has what `run` taps of the kernel's width see: a narrower plane the fewer they are, and so many more planes. */
function spreadFor(convolution: Convolution, run: number): Places {
  const { channels, width, height, kernel, stride, padding, outHeight, outWidth } = convolution;
  const step = run * stride[1];
  const sets = Math.floor(kernel[1] / step);
  const right = sets * stride[1] + Math.min(kernel[1] - sets * step, stride[1]);
  const phases = { down: Math.min(kernel[0], stride[0]), right, step };
  const planes = channels * phases.down * right;
  const rows = outHeight + runOf(convolution, 0) - 1;
  const columns = outWidth + run - 1;
  // Rows of the only phase share their padding: what follows a row is what is before the next.
  const shared = Math.max(padding[1] + width, columns - padding[1]);
  const inputs =
    stride[1] !== 1 || right > 1 || shared >= columns || height === 0
      ? { height: rows, width: columns, pitch: columns, stride: apart(rows * columns) }
      : // The row behind the last begins with the padding of that.
        { height: rows + 1, width: shared, pitch: shared, stride: apart((rows + 1) * shared) };
  return placed(convolution, phases, { channels: planes, ...inputs }, true);
}

/** Of a convolution's weights pruning leaves about so many. */
const DENSITY = 1 / 3;

/** A row that is spread takes as long as a survivor takes in so many lanes, and so does each of its numbers. */
const SPREAD_ROW = 64;
const SPREAD_NUMBER = 4;

/** Taps of one plane share its lines of the first-level cache, and with planes of their own they do not: that has to save a quarter. */
const NARROWER = 3 / 4;

/** Nor may it take more than so many times the memory, inputs and outputs together. */
const MOST_LARGER = 2;

/** How long a convolution takes, in lanes of a survivor. */
function costOf({ channels, groups, out, kernel }: Convolution, { inputs, spread, lanes }: Places): number {
  const weights = ((out * channels) / groups) * kernel[0] * kernel[1];
  const spreading = inputs.channels * inputs.height * (SPREAD_ROW + SPREAD_NUMBER * inputs.width);
  return DENSITY * weights * lanes + (spread ? spreading : 0);
}

function numbersOf({ inputs, outputs }: Places): number {
  return inputs.channels * inputs.stride + outputs.channels * outputs.stride;
}

/**
 * How a convolution's inputs, which are there as `planes`, and its outputs are to stand, so that it takes least. An output row has as many lanes as a row of the inputs has numbers, and where the kernel is about as wide as these most lanes are
 * worked for nothing: inputs that are spread to a plane for each few taps have rows about as long as the outputs'.
 */
export function placesOf(planes: Planes, convolution: Convolution): Places {
  const { kernel, stride, padding } = convolution;
  const taps = runOf(convolution, 1);
  const whole = spreadFor(convolution, taps);
  let best = whole;
  let least = costOf(convolution, whole);
  if (stride[0] === 1 && stride[1] === 1 && padding[0] === 0 && padding[1] === 0) {
    const asTheyAre = placed(convolution, { down: 1, right: 1, step: kernel[1] }, planes, false);
    const cost = costOf(convolution, asTheyAre);
    if (cost <= least) [best, least] = [asTheyAre, cost];
  }
  least *= NARROWER;
  for (let run = taps - 1; run > 0; run--) {
    const narrow = spreadFor(convolution, run);
    const cost = costOf(convolution, narrow);
    if (cost < least && numbersOf(narrow) <= MOST_LARGER * numbersOf(whole)) [best, least] = [narrow, cost];
  }
  return best;
}

/** Numbers from the first input to what each tap of the first output sees: [channels / groups][kernel height][kernel width]. */
export function offsetsOf({ channels, groups, kernel, stride }: Convolution, { phases, inputs }: Places): Uint32Array {
  const { down, right, step } = phases;
  const taps = kernel[0] * kernel[1];
  return Uint32Array.from({ length: (channels / groups) * taps }, (_, column) => {
    const [y, x] = [Math.floor((column % taps) / kernel[1]), column % kernel[1]];
    const phase = Math.floor(x / step) * stride[1] + (x % stride[1]);
    const plane = (Math.floor(column / taps) * down + (y % stride[0])) * right + phase;
    return plane * inputs.stride + Math.floor(y / stride[0]) * inputs.pitch + Math.floor((x % step) / stride[1]);
  });
}
