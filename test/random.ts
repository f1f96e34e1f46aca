/** Numbers that look random and are the same in every run: mulberry32. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 32 bits. */
  u32(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let word = this.#state;
    word = Math.imul(word ^ (word >>> 15), word | 1);
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
    return (word ^ (word >>> 14)) >>> 0;
  }

  /** In [0, 1). */
  unit(): number {
    return this.u32() / 2 ** 32;
  }

  /** An integer in [0, end). */
  below(end: number): number {
    return Math.floor(this.unit() * end);
  }

  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  /** Normally distributed around 0. */
  normal(deviation = 1): number {
    return deviation * Math.sqrt(-2 * Math.log(1 - this.unit())) * Math.cos(2 * Math.PI * this.unit());
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.u32() & 255);
  }

  /** Weights of a trained layer, roughly. */
  weights(length: number, deviation = 0.05): Float32Array {
    return Float32Array.from({ length }, () => this.normal(deviation));
  }

  /** Weights of which about `density` are not 0. */
  sparse(length: number, density: number): Float32Array {
    return Float32Array.from({ length }, () => (this.chance(density) ? this.normal(0.05) : 0));
  }

  /** Float32 values of which every third or so is one that arithmetic stumbles over. */
  awkward(length: number): Float32Array {
    return Float32Array.from({ length }, () => (this.chance(0.35) ? AWKWARD[this.below(AWKWARD.length)] : this.normal()));
  }

  /** Any bits as float32 values: NaNs, infinities and subnormals among them. */
  anyFloats(length: number): Float32Array {
    return new Float32Array(Uint32Array.from({ length }, () => this.u32()).buffer);
  }

  /** Symbols below `alphabet`, of which each is about `ratio` times as frequent as the one before. */
  symbols(length: number, alphabet: number, ratio = 0.7): Uint8Array {
    return Uint8Array.from({ length }, () => {
      let symbol = 0;
      while (symbol < alphabet - 1 && this.chance(ratio)) symbol++;
      return symbol;
    });
  }

  /** Elements of which about `density` have a bit set. */
  elements(count: number, elementBytes: number, density: number): Uint8Array {
    const elements = new Uint8Array(count * elementBytes);
    for (let i = 0; i < count; i++) {
      if (!this.chance(density)) continue;
      // Sometimes in one byte alone, whichever it is.
      if (this.chance(0.3)) elements[i * elementBytes + this.below(elementBytes)] = 1 + this.below(255);
      else for (let b = 0; b < elementBytes; b++) elements[i * elementBytes + b] = 1 + this.below(255);
    }
    return elements;
  }
}

export const AWKWARD: readonly number[] = [
  0,
  -0,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  2 ** -149, // the smallest subnormal
  -(2 ** -149),
  2 ** -127,
  2 ** -126, // the smallest normal
  -(2 ** -126),
  (2 - 2 ** -23) * 2 ** 127, // the largest
  -(2 - 2 ** -23) * 2 ** 127,
  1,
  -1,
  2 ** 24 + 1,
  65519,
  65520,
];

/** Around the widths of vectors and unrolled loops. */
export const LENGTHS: readonly number[] = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 129, 1000, 4099];

export const DENSITIES: readonly number[] = [0, 0.01, 0.09, 0.33, 0.99, 1];
