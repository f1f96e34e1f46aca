import type { Convolution } from "../kernel-types.js";
import { type Arena, at, type Ptr } from "./arena.js";
import { lend } from "./encode-values.js";
import type { KernelModule } from "./module.js";
import { type NnExports, panelBytes, TILE_BYTES, TILE_COLUMNS, TILE_ROWS } from "./nn.js";

// A convolution as matrix products whose panels are gathered from the images themselves, an image or a few at a time, so that they stay in the cache.

/** Panels of patches up to so many bytes stay in the second-level cache, with the weights' beside them. */
const PATCH_BYTES = 2 ** 18;

/** Steps along the depth of a weight gradient's product: as many as `gemm` takes at a time. */
const GRADIENT_DEPTH = 256;

/** Where the elements of patches lie: what stays for as long as the layer does. Tables are u32 byte offsets. */
export interface ConvolutionPlan {
  readonly shape: Convolution;
  /** Elements of a patch: the channels of a group times the kernel. */
  readonly taps: number;
  /** Elements of a channel of the output. */
  readonly places: number;
  /** Outputs of a group. */
  readonly outputs: number;
  /** Images that a weight gradient takes at a time. */
  readonly images: number;
  readonly paddedHeight: number;
  readonly paddedWidth: number;
  /** [taps], into the padded image of a group. */
  readonly tapOffsets: Ptr;
  /** [images][places], into padded images. */
  readonly placeOffsets: Ptr;
  /** [outputs], into the output of a group. */
  readonly channelOffsets: Ptr;
  /** [images][places], into outputs. */
  readonly outputOffsets: Ptr;
}

/** The plan of a convolution, its tables in the arena. */
export function planConvolution(arena: Arena, shape: Convolution): ConvolutionPlan {
  const { channels, height, width, kernel, stride, padding, outHeight, outWidth, out, groups } = shape;
  const paddedHeight = height + 2 * padding[0];
  const paddedWidth = width + 2 * padding[1];
  const plane = paddedHeight * paddedWidth;
  const area = kernel[0] * kernel[1];
  const taps = (channels / groups) * area;
  const places = outHeight * outWidth;
  const images = Math.max(1, Math.floor(GRADIENT_DEPTH / places));

  const table = (length: number, offsetOf: (i: number) => number): Ptr =>
    lend(
      arena,
      Uint32Array.from({ length }, (_, i) => 4 * offsetOf(i)),
    );
  const grid = (i: number, columns: number, down: number, right: number): number => Math.floor(i / columns) * down + (i % columns) * right;

  return {
    shape,
    taps,
    places,
    outputs: out / groups,
    images,
    paddedHeight,
    paddedWidth,
    tapOffsets: table(taps, (tap) => Math.floor(tap / area) * plane + grid(tap % area, kernel[1], paddedWidth, 1)),
    placeOffsets: table(
      images * places,
      (i) => Math.floor(i / places) * channels * plane + grid(i % places, outWidth, stride[0] * paddedWidth, stride[1]),
    ),
    channelOffsets: table(out / groups, (output) => output * places),
    outputOffsets: table(images * places, (i) => grid(i, places, out * places, 1)),
  };
}

/** Places of the output that go at a time, a multiple of a tile's columns. */
function placesAtATime({ taps, places }: ConvolutionPlan): number {
  return Math.min(places, TILE_COLUMNS * Math.max(1, Math.floor(PATCH_BYTES / (4 * taps * TILE_COLUMNS))));
}

const groupBytes = ({ shape, paddedHeight, paddedWidth }: ConvolutionPlan): number =>
  4 * (shape.channels / shape.groups) * paddedHeight * paddedWidth;

const isPadded = ({ shape }: ConvolutionPlan): boolean => shape.padding[0] > 0 || shape.padding[1] > 0;

/** From the first element of a padded plane to the first of the plane in it. */
const insetBytes = ({ shape, paddedWidth }: ConvolutionPlan): number => 4 * (shape.padding[0] * paddedWidth + shape.padding[1]);

/** The images with zeros around them, allotted in the caller's scope; the images themselves where there is no padding. */
export function padAt({ arena, exports }: KernelModule<NnExports>, plan: ConvolutionPlan, inputs: Ptr, rows: number): Ptr {
  if (!isPadded(plan)) return inputs;
  const { channels, height, width, groups } = plan.shape;
  const byteLength = rows * groups * groupBytes(plan);
  const padded = arena.alloc(byteLength);
  arena.u8(padded, byteLength).fill(0);
  const inside = at(padded, insetBytes(plan));
  exports.copyPlanes(inputs, height, width, inside, plan.paddedHeight, plan.paddedWidth, rows * channels, height, width);
  return padded;
}

/** Panels of the weights of each group, `pack` says along which side, with the bytes of one. */
function weightPanels(
  { arena, exports }: KernelModule<NnExports>,
  { shape, taps, outputs }: ConvolutionPlan,
  weights: Ptr,
  pack: "packRows" | "packColumns",
): { panels: Ptr; byteLength: number } {
  const [count, depth] = pack === "packRows" ? [outputs, taps] : [taps, outputs];
  const byteLength = panelBytes(count, TILE_ROWS, depth);
  const panels = arena.alloc(shape.groups * byteLength);
  for (let group = 0; group < shape.groups; group++) {
    exports[pack](at(weights, 4 * group * outputs * taps), count, depth, TILE_ROWS, at(panels, group * byteLength));
  }
  return { panels, byteLength };
}

/** The outputs of images that `padAt` gave. */
export function convolveAt(
  module: KernelModule<NnExports>,
  plan: ConvolutionPlan,
  padded: Ptr,
  weights: Ptr,
  bias: Ptr | undefined,
  rows: number,
  out: Ptr,
): void {
  const { arena, exports } = module;
  const { shape, taps, places, outputs, tapOffsets, placeOffsets } = plan;
  arena.scope(() => {
    const { panels, byteLength } = weightPanels(module, plan, weights, "packRows");
    const most = placesAtATime(plan);
    const patches = arena.alloc(panelBytes(most, TILE_COLUMNS, taps));
    const tile = arena.alloc(TILE_BYTES);
    for (let row = 0; row < rows; row++) {
      const image = at(out, 4 * row * shape.out * places);
      for (let group = 0; group < shape.groups; group++) {
        const from = at(padded, (row * shape.groups + group) * groupBytes(plan));
        const weight = at(panels, group * byteLength);
        for (let first = 0; first < places; first += most) {
          const count = Math.min(most, places - first);
          exports.gatherPanels(from, at(placeOffsets, 4 * first), count, tapOffsets, taps, TILE_COLUMNS, patches);
          exports.gemm(weight, patches, at(image, 4 * (group * outputs * places + first)), outputs, count, taps, places, 0, tile);
        }
      }
      if (bias !== undefined) exports.addPlaneBias(image, bias, shape.out, places);
    }
  });
}

/** The gradient of the weights, from what `convolveAt` took and the gradient of what it gave. */
export function weightGradientAt(
  { arena, exports }: KernelModule<NnExports>,
  plan: ConvolutionPlan,
  padded: Ptr,
  gradient: Ptr,
  rows: number,
  out: Ptr,
): void {
  const { shape, taps, places, outputs, images, tapOffsets, placeOffsets, channelOffsets, outputOffsets } = plan;
  arena.scope(() => {
    const left = arena.alloc(panelBytes(outputs, TILE_ROWS, images * places));
    const right = arena.alloc(panelBytes(taps, TILE_COLUMNS, images * places));
    const tile = arena.alloc(TILE_BYTES);
    for (let row = 0; row < rows; row += images) {
      const depth = Math.min(images, rows - row) * places;
      for (let group = 0; group < shape.groups; group++) {
        const slopes = at(gradient, 4 * (row * shape.out + group * outputs) * places);
        const from = at(padded, (row * shape.groups + group) * groupBytes(plan));
        exports.gatherPanels(slopes, channelOffsets, outputs, outputOffsets, depth, TILE_ROWS, left);
        exports.gatherPanels(from, tapOffsets, taps, placeOffsets, depth, TILE_COLUMNS, right);
        exports.gemm(left, right, at(out, 4 * group * outputs * taps), outputs, taps, depth, taps, row > 0 ? 1 : 0, tile);
      }
    }
  });
}

/** The gradient of the inputs, from the gradient of the outputs. */
export function inputGradientAt(
  module: KernelModule<NnExports>,
  plan: ConvolutionPlan,
  gradient: Ptr,
  weights: Ptr,
  rows: number,
  out: Ptr,
): void {
  const { arena, exports } = module;
  const { shape, taps, places, outputs, tapOffsets, placeOffsets, channelOffsets, outputOffsets, paddedHeight, paddedWidth } = plan;
  const { channels, height, width, groups } = shape;
  arena.scope(() => {
    const { panels, byteLength } = weightPanels(module, plan, weights, "packColumns");
    const most = placesAtATime(plan);
    const slopes = arena.alloc(panelBytes(most, TILE_COLUMNS, outputs));
    const patches = arena.alloc(4 * taps * most);
    const tile = arena.alloc(TILE_BYTES);
    const imageBytes = groups * groupBytes(plan);
    const padded = isPadded(plan) ? arena.alloc(imageBytes) : undefined;
    for (let row = 0; row < rows; row++) {
      const whole = at(out, 4 * row * channels * height * width);
      const image = padded ?? whole;
      arena.u8(image, imageBytes).fill(0);
      for (let group = 0; group < groups; group++) {
        const from = at(gradient, 4 * (row * shape.out + group * outputs) * places);
        for (let first = 0; first < places; first += most) {
          const count = Math.min(most, places - first);
          exports.gatherPanels(from, at(outputOffsets, 4 * first), count, channelOffsets, outputs, TILE_COLUMNS, slopes);
          exports.gemm(at(panels, group * byteLength), slopes, patches, taps, count, outputs, count, 0, tile);
          exports.scatterPatches(patches, taps, count, tapOffsets, at(placeOffsets, 4 * first), at(image, group * groupBytes(plan)));
        }
      }
      if (padded === undefined) continue;
      exports.copyPlanes(at(padded, insetBytes(plan)), paddedHeight, paddedWidth, whole, height, width, channels, height, width);
    }
  });
}
