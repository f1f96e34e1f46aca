// What the paper says (arXiv 1510.00149v5, Tables 1 to 3).

/** A layer of Tables 2 and 3. */
export interface PaperLayer {
  /** What the layer is called here. */
  readonly name: string;
  /** Part of the weights that are kept, in percent. */
  readonly density: number;
  /** Bits of a code, of fixed length and Huffman-coded. */
  readonly codeBits: readonly [fixed: number, coded: number];
  readonly gapBits: readonly [fixed: number, coded: number];
  /** Bytes of the dense layer's, in percent. */
  readonly rate: readonly [fixed: number, coded: number];
}

export interface PaperNetwork {
  readonly title: string;
  /** In percent. */
  readonly error: readonly [dense: number, compressed: number];
  readonly ratio: number;
  readonly layers: readonly PaperLayer[];
  /** The bottom line of its table. */
  readonly total: PaperLayer;
}

const codes6 = (coded: number): readonly [number, number] => [6, coded];
const codes8 = (coded: number): readonly [number, number] => [8, coded];
const five = (coded: number): readonly [number, number] => [5, coded];

export const PAPER: Readonly<Record<NetworkName, PaperNetwork>> = {
  "lenet-300-100": {
    title: "LeNet-300-100",
    error: [1.64, 1.58],
    ratio: 40,
    layers: [
      { name: "fc1", density: 8, codeBits: codes6(4.4), gapBits: five(3.7), rate: [3.1, 2.32] },
      { name: "fc2", density: 9, codeBits: codes6(4.4), gapBits: five(4.3), rate: [3.8, 3.04] },
      { name: "fc3", density: 26, codeBits: codes6(4.3), gapBits: five(3.2), rate: [15.7, 12.7] },
    ],
    total: { name: "total", density: 8, codeBits: codes6(5.1), gapBits: five(3.7), rate: [3.1, 2.49] },
  },
  "lenet-5": {
    title: "LeNet-5",
    error: [0.8, 0.74],
    ratio: 39,
    layers: [
      { name: "conv1", density: 66, codeBits: codes8(7.2), gapBits: five(1.5), rate: [78.5, 67.45] },
      { name: "conv2", density: 12, codeBits: codes8(7.2), gapBits: five(3.9), rate: [6, 5.28] },
      { name: "fc1", density: 8, codeBits: five(4.5), gapBits: five(4.5), rate: [2.7, 2.45] },
      { name: "fc2", density: 19, codeBits: five(5.2), gapBits: five(3.7), rate: [6.9, 6.13] },
    ],
    total: { name: "total", density: 8, codeBits: [5.3, 4.1], gapBits: five(4.4), rate: [3.05, 2.55] },
  },
};

export type NetworkName = "lenet-300-100" | "lenet-5";

export function isNetworkName(value: string | undefined): value is NetworkName {
  return value !== undefined && Object.hasOwn(PAPER, value);
}
