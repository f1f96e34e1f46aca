import type { Tensor } from "../types.js";
import type { ValueInfo } from "./types.js";
import { numbersOf, type ValueDtype } from "./values.js";

/** An output of two models, over all runs. */
export interface OutputComparison {
  readonly name: string;
  readonly dtype: ValueDtype;
  /** Elements that were compared. */
  readonly elements: number;
  /** Every bit is the same. */
  readonly identical: boolean;
  /** The largest absolute difference; Infinity where one is NaN and the other is not, or in a run the shapes differ. */
  readonly maxAbs: number;
  /** The mean of the absolute differences. */
  readonly meanAbs: number;
  /** Of the angle between the two, taken as one vector each; NaN where one is all zeros and the other is not. */
  readonly cosine: number;
  /** Of an output [samples, classes]: the samples, and those whose largest element is the same one. */
  readonly top1?: { readonly samples: number; readonly agreed: number };
}

/** How many classes an output of a run has; undefined where it has no row of them for each sample. */
export function classesOf({ shape }: Tensor, samples: number): number | undefined {
  return shape.length === 2 && shape[0] === samples && shape[1] > 1 ? shape[1] : undefined;
}

/** For each row the first of its largest elements; -1 where all are NaN. */
export function largestOfRows(values: ArrayLike<number>, columns: number): Int32Array {
  return Int32Array.from({ length: values.length / columns }, (_, row) => {
    let best = -1;
    for (let column = 0; column < columns; column++) {
      const value = values[row * columns + column];
      if (!Number.isNaN(value) && (best < 0 || value > values[row * columns + best])) best = column;
    }
    return best;
  });
}

function sameBits(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** Adds up, run by run, how an output of two models differs. */
export class Comparing {
  readonly #output: ValueInfo;
  #elements = 0;
  #identical = true;
  #maxAbs = 0;
  #sumAbs = 0;
  #dot = 0;
  #squaresBefore = 0;
  #squaresAfter = 0;
  #samples = 0;
  #agreed = 0;
  #rows = true;

  constructor(output: ValueInfo) {
    this.#output = output;
  }

  add(before: Tensor, after: Tensor, samples: number): void {
    const { dtype } = this.#output;
    if (before.shape.join() !== after.shape.join()) {
      this.#identical = false;
      this.#rows = false;
      this.#maxAbs = Infinity;
      return;
    }
    if (!sameBits(before.data, after.data)) this.#identical = false;
    const a = numbersOf(before, dtype);
    const b = numbersOf(after, dtype);
    this.#addDifferences(a, b);
    const classes = classesOf(before, samples);
    if (classes === undefined) {
      this.#rows = false;
      return;
    }
    const bests = largestOfRows(b, classes);
    this.#samples += samples;
    for (const [row, best] of largestOfRows(a, classes).entries()) if (best === bests[row]) this.#agreed++;
  }

  #addDifferences(a: ArrayLike<number>, b: ArrayLike<number>): void {
    this.#elements += a.length;
    for (let i = 0; i < a.length; i++) {
      const [before, after] = [a[i], b[i]];
      // Two infinities are no NaN apart, and of two NaN neither is off.
      const difference = Object.is(before, after) || before === after ? 0 : Math.abs(before - after);
      const error = Number.isNaN(difference) ? Infinity : difference;
      if (error > this.#maxAbs) this.#maxAbs = error;
      this.#sumAbs += error;
      this.#dot += before * after;
      this.#squaresBefore += before * before;
      this.#squaresAfter += after * after;
    }
  }

  result(): OutputComparison {
    const { name, dtype } = this.#output;
    const nothing = this.#squaresBefore === 0 && this.#squaresAfter === 0;
    return {
      name,
      dtype,
      elements: this.#elements,
      identical: this.#identical,
      maxAbs: this.#maxAbs,
      meanAbs: this.#elements === 0 ? 0 : this.#sumAbs / this.#elements,
      cosine: this.#identical || nothing ? 1 : Math.min(1, this.#dot / Math.sqrt(this.#squaresBefore * this.#squaresAfter)),
      ...(this.#rows && this.#samples > 0 && { top1: { samples: this.#samples, agreed: this.#agreed } }),
    };
  }
}
