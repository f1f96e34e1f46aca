/** Lets what may be done ahead of its turn wait for it. */
export class Turns {
  #now = 0;
  readonly #waiting = new Map<number, () => void>();

  /** Fulfilled once it is `index`'s turn. One at a time waits for each. */
  of(index: number): Promise<void> {
    if (index <= this.#now) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.set(index, resolve));
  }

  next(): void {
    this.#now++;
    this.#waiting.get(this.#now)?.();
    this.#waiting.delete(this.#now);
  }
}
