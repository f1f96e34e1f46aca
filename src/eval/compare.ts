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
  /** The mean of the absolute differences: Infinity where one is without bounds, NaN where in a run the shapes differ. */
  readonly meanAbs: number;
  /**
   * Of the angle between the two, taken as one vector each, without the elements that are infinite or NaN in either. NaN where that leaves nothing of two that are not identical, where one
   * is all zeros and the other is not, and where in a run the shapes differ.
   */
  readonly cosine: number;
  /** Of an output [samples, classes], whatever axes of 1 follow: the samples, and those whose largest element is the same one. */
  readonly top1?: { readonly samples: number; readonly agreed: number };
}

/** How many classes an output of a run has; undefined where it has no row of them for each sample. A network that is convolutional to its end leaves rows and columns of 1 behind them. */
export function classesOf({ shape: [lead, classes, ...others] }: Tensor, samples: number): number | undefined {
  return lead === samples && classes > 1 && others.every((axis) => axis === 1) ? classes : undefined;
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
  #sameShape = true;
  #finite = 0;
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
      this.#sameShape = false;
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
      if (!Number.isFinite(before) || !Number.isFinite(after)) continue;
      this.#finite++;
      this.#dot += before * after;
      this.#squaresBefore += before * before;
      this.#squaresAfter += after * after;
    }
  }

  #cosine(): number {
    if (this.#identical) return 1;
    if (!this.#sameShape || this.#finite === 0) return Number.NaN;
    if (this.#squaresBefore === 0 && this.#squaresAfter === 0) return 1;
    return Math.min(1, this.#dot / Math.sqrt(this.#squaresBefore * this.#squaresAfter));
  }

  result(): OutputComparison {
    const { name, dtype } = this.#output;
    return {
      name,
      dtype,
      elements: this.#elements,
      identical: this.#identical,
      maxAbs: this.#maxAbs,
      meanAbs: !this.#sameShape ? Number.NaN : this.#elements === 0 ? 0 : this.#sumAbs / this.#elements,
      cosine: this.#cosine(),
      ...(this.#rows && this.#samples > 0 && { top1: { samples: this.#samples, agreed: this.#agreed } }),
    };
  }
}
