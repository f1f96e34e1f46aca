import type { NetworkSpec } from "../src/nn/index.js";
import { SIDE } from "./mnist.js";

/** LeNet-5 as Caffe has it, the network of Deep Compression: 431,080 parameters. */
export const LENET_5: NetworkSpec = {
  input: [1, SIDE, SIDE],
  layers: [
    { type: "conv2d", name: "conv1", in: 1, out: 20, kernel: 5 },
    { type: "maxpool2d", kernel: 2, ceil: true },
    { type: "conv2d", name: "conv2", in: 20, out: 50, kernel: 5 },
    { type: "maxpool2d", kernel: 2, ceil: true },
    { type: "flatten" },
    { type: "linear", name: "fc1", in: 800, out: 500 },
    { type: "relu" },
    { type: "linear", name: "fc2", in: 500, out: 10 },
  ],
};
