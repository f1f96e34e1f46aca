import type { Tensor } from "../types.js";
import { classesOf, largestOfRows } from "./compare.js";
import { shownInputs, type ValueInfo } from "./types.js";
import { numbersOf } from "./values.js";

/** How often two models are right. */
export interface Accuracy {
  /** The output whose largest element is the class: the first that has a row of them for each sample. */
  readonly output: string;
  readonly samples: number;
  /** Of the first model, samples that it was right on; and of the second. */
  readonly before: number;
  readonly after: number;
}

/** @throws TypeError where `labels` is no list of numbers */
export function checkLabels(labels: unknown): asserts labels is ArrayLike<number> {
  const length = typeof labels === "object" ? (labels as ArrayLike<number> | null)?.length : undefined;
  if (!Number.isInteger(length)) throw new TypeError("labels must be a list of numbers, as an array or a Uint8Array is");
}

/** Counts what two models are right on. */
export class Scoring {
  readonly #labels: ArrayLike<number>;
  #output: number | undefined;
  #name = "";
  #samples = 0;
  #right: [number, number] = [0, 0];

  constructor(labels: ArrayLike<number>) {
    this.#labels = labels;
  }

  /** @throws RangeError where no output has classes, or too few */
  add(infos: readonly ValueInfo[], results: readonly (readonly Tensor[])[], samples: number): void {
    this.#output ??= results[0].findIndex((output) => classesOf(output, samples) !== undefined);
    const info = infos[this.#output];
    if (!info) throw new RangeError(`labels must have an output of [samples, classes] to go with, the model has ${shownInputs(infos)}`);
    this.#name = info.name;
    const labels = Array.from({ length: samples }, (_, i) => this.#labels[this.#samples + i]);
    for (const side of [0, 1]) {
      const output = results[side][this.#output];
      const classes = classesOf(output, samples);
      if (classes === undefined)
        throw new RangeError(
          `labels must go with an output of [samples, classes], ${JSON.stringify(info.name)} has become [${output.shape}]`,
        );
      const wrong = labels.findIndex((label) => !(Number.isInteger(label) && label >= 0 && label < classes));
      if (wrong >= 0)
        throw new RangeError(
          `labels must be integers from 0 to ${classes - 1}, the classes of ${JSON.stringify(info.name)}, got ${labels[wrong]} for sample ${this.#samples + wrong}`,
        );
      for (const [row, best] of largestOfRows(numbersOf(output, info.dtype), classes).entries())
        if (best === labels[row]) this.#right[side]++;
    }
    this.#samples += samples;
  }

  result(): Accuracy {
    const [before, after] = this.#right;
    return { output: this.#name, samples: this.#samples, before, after };
  }
}
