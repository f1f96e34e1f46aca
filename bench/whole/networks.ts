import type { LayerSpec, NetworkSpec } from "../../src/run/index.js";
import { type Layer, NETWORKS } from "../networks.js";

// The whole networks that are run: AlexNet (Krizhevsky et al. 2012, as Caffe has it) and VGG-16 (Simonyan and Zisserman 2014), for images of the usual size.

export interface WholeNetwork {
  readonly name: string;
  readonly spec: NetworkSpec;
  /** What Deep Compression makes of the layers that have weights. */
  readonly layers: readonly Layer[];
}

const relu: LayerSpec = { type: "relu" };

const conv = (name: string, inputs: number, out: number, kernel: number, more: object = {}): LayerSpec[] => [
  { type: "conv2d", name, in: inputs, out, kernel, ...more },
  relu,
];

const linear = (name: string, inputs: number, out: number): LayerSpec => ({ type: "linear", name, in: inputs, out });

/** Fully connected layers as both have them. */
const classifier = (inputs: number): LayerSpec[] => [
  { type: "flatten" },
  linear("fc6", inputs, 4096),
  relu,
  { type: "dropout", rate: 0.5 },
  linear("fc7", 4096, 4096),
  relu,
  { type: "dropout", rate: 0.5 },
  linear("fc8", 4096, 1000),
];

const response: LayerSpec = { type: "localresponsenorm", size: 5 };
const pool3: LayerSpec = { type: "maxpool2d", kernel: 3, stride: 2 };
const pool2: LayerSpec = { type: "maxpool2d", kernel: 2 };

const ALEXNET: NetworkSpec = {
  input: [3, 227, 227],
  layers: [
    ...[...conv("conv1", 3, 96, 11, { stride: 4 }), response, pool3],
    ...[...conv("conv2", 96, 256, 5, { padding: 2, groups: 2 }), response, pool3],
    ...conv("conv3", 256, 384, 3, { padding: 1 }),
    ...conv("conv4", 384, 384, 3, { padding: 1, groups: 2 }),
    ...[...conv("conv5", 384, 256, 3, { padding: 1, groups: 2 }), pool3],
    ...classifier(9216),
  ],
};

/** Channels of VGG-16's stages, and convolutions in each. */
const STAGES: readonly (readonly [channels: number, convolutions: number])[] = [
  [64, 2],
  [128, 2],
  [256, 3],
  [512, 3],
  [512, 3],
];

function vggStages(): LayerSpec[] {
  let channels = 3;
  return STAGES.flatMap(([out, count], stage) => {
    const layers = Array.from({ length: count }, (_, i) => {
      const own = conv(`conv${stage + 1}_${i + 1}`, channels, out, 3, { padding: 1 });
      channels = out;
      return own;
    });
    return [...layers.flat(), pool2];
  });
}

export const WHOLE_NETWORKS: readonly WholeNetwork[] = [
  { name: "AlexNet", spec: ALEXNET, layers: NETWORKS.alexnet },
  { name: "VGG-16", spec: { input: [3, 224, 224], layers: [...vggStages(), ...classifier(25088)] }, layers: NETWORKS.vgg16 },
];

/** Networks whose names have one of the filters in them, whatever their case; all where there is no filter. */
export function networksFor(filters: readonly string[]): readonly WholeNetwork[] {
  if (filters.length === 0) return WHOLE_NETWORKS;
  return WHOLE_NETWORKS.filter(({ name }) => filters.some((filter) => name.toLowerCase().includes(filter.toLowerCase())));
}
