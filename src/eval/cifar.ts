import { FormatError } from "../errors.js";

// The binary files of CIFAR: records of a label or two, of a byte each, and a plane each of red, green and blue. Nothing but their length and their labels tells them from any other.

const CHANNELS = 3;
const SIDE = 32;
const IMAGE_BYTES = CHANNELS * SIDE * SIDE;

interface Records {
  readonly title: string;
  /** Of each label of a record, how many classes there are. The last one is the image's. */
  readonly classes: readonly number[];
}

/** CIFAR-100 has a coarse label before the fine one. */
const RECORDS: readonly Records[] = [
  { title: "CIFAR-10", classes: [10] },
  { title: "CIFAR-100", classes: [20, 100] },
];

const recordBytes = ({ classes }: Records): number => classes.length + IMAGE_BYTES;

export interface Cifar {
  /** Images, channels, rows, columns. */
  readonly shape: readonly [number, number, number, number];
  /** The file from the first image on. */
  readonly data: Uint8Array;
  /** Bytes from one image to the next. */
  readonly stride: number;
  readonly labels: Uint8Array;
}

/**
 * Reads a binary file of CIFAR-10, or of CIFAR-100, whose labels are the fine ones.
 *
 * @throws FormatError where it does not end with a record, or has a label that is no class
 */
export function readCifar(bytes: Uint8Array): Cifar {
  const records = RECORDS.find((one) => bytes.length > 0 && bytes.length % recordBytes(one) === 0);
  if (!records) {
    const known = RECORDS.map((one) => `${one.title} (${recordBytes(one)} bytes each)`).join(" or ");
    throw new FormatError("TRUNCATED", bytes.length, `neither an IDX file nor records of ${known}`);
  }
  const { title, classes } = records;
  const stride = recordBytes(records);
  const labels = new Uint8Array(bytes.length / stride);
  for (let i = 0; i < labels.length; i++) {
    for (const [j, count] of classes.entries()) {
      const at = i * stride + j;
      labels[i] = bytes[at];
      if (labels[i] >= count) throw new FormatError("CORRUPT", at, `a label of ${labels[i]}, ${title} has ${count} classes`);
    }
  }
  return { shape: [labels.length, CHANNELS, SIDE, SIDE], data: bytes.subarray(classes.length), stride, labels };
}
