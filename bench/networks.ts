// The published networks: shapes, densities and code bits as Deep Compression gives them (arXiv 1510.00149, tables 2 to 5).

export interface Layer {
  readonly name: string;
  /** (outputs, inputs) or (outputs, inputs, height, width). */
  readonly shape: readonly number[];
  /** Survivors over weights. */
  readonly density: number;
  /** 2^bits shared weights. */
  readonly bits: number;
}

export type NetworkName = "lenet-300-100" | "lenet-5" | "alexnet" | "vgg16";

export const NETWORKS: Readonly<Record<NetworkName, readonly Layer[]>> = {
  "lenet-300-100": [
    { name: "ip1", shape: [300, 784], density: 0.08, bits: 6 },
    { name: "ip2", shape: [100, 300], density: 0.09, bits: 6 },
    { name: "ip3", shape: [10, 100], density: 0.26, bits: 6 },
  ],
  "lenet-5": [
    { name: "conv1", shape: [20, 1, 5, 5], density: 0.66, bits: 8 },
    { name: "conv2", shape: [50, 20, 5, 5], density: 0.12, bits: 8 },
    { name: "ip1", shape: [500, 800], density: 0.08, bits: 5 },
    { name: "ip2", shape: [10, 500], density: 0.19, bits: 5 },
  ],
  alexnet: [
    { name: "conv1", shape: [96, 3, 11, 11], density: 0.84, bits: 8 },
    { name: "conv2", shape: [256, 48, 5, 5], density: 0.38, bits: 8 },
    { name: "conv3", shape: [384, 256, 3, 3], density: 0.35, bits: 8 },
    { name: "conv4", shape: [384, 192, 3, 3], density: 0.37, bits: 8 },
    { name: "conv5", shape: [256, 192, 3, 3], density: 0.37, bits: 8 },
    { name: "fc6", shape: [4096, 9216], density: 0.09, bits: 5 },
    { name: "fc7", shape: [4096, 4096], density: 0.09, bits: 5 },
    { name: "fc8", shape: [1000, 4096], density: 0.25, bits: 5 },
  ],
  vgg16: [
    { name: "conv1_1", shape: [64, 3, 3, 3], density: 0.58, bits: 8 },
    { name: "conv1_2", shape: [64, 64, 3, 3], density: 0.22, bits: 8 },
    { name: "conv2_1", shape: [128, 64, 3, 3], density: 0.34, bits: 8 },
    { name: "conv2_2", shape: [128, 128, 3, 3], density: 0.36, bits: 8 },
    { name: "conv3_1", shape: [256, 128, 3, 3], density: 0.53, bits: 8 },
    { name: "conv3_2", shape: [256, 256, 3, 3], density: 0.24, bits: 8 },
    { name: "conv3_3", shape: [256, 256, 3, 3], density: 0.42, bits: 8 },
    { name: "conv4_1", shape: [512, 256, 3, 3], density: 0.32, bits: 8 },
    { name: "conv4_2", shape: [512, 512, 3, 3], density: 0.27, bits: 8 },
    { name: "conv4_3", shape: [512, 512, 3, 3], density: 0.34, bits: 8 },
    { name: "conv5_1", shape: [512, 512, 3, 3], density: 0.35, bits: 8 },
    { name: "conv5_2", shape: [512, 512, 3, 3], density: 0.29, bits: 8 },
    { name: "conv5_3", shape: [512, 512, 3, 3], density: 0.36, bits: 8 },
    { name: "fc6", shape: [4096, 25088], density: 0.04, bits: 5 },
    { name: "fc7", shape: [4096, 4096], density: 0.04, bits: 5 },
    { name: "fc8", shape: [1000, 4096], density: 0.23, bits: 5 },
  ],
};

export function weightCount({ shape }: Pick<Layer, "shape">): number {
  return shape.reduce((product, length) => product * length, 1);
}

/** @throws RangeError where the network has no such layer */
export function layerOf(network: NetworkName, name: string): Layer {
  const layer = NETWORKS[network].find((each) => each.name === name);
  if (layer === undefined) throw new RangeError(`${network} has no layer ${name}`);
  return layer;
}
