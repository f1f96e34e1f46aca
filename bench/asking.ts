// Questions to another isolate, which answers each in turn. How messages pass is in node/ and browser/.

export type Answer<Value> = { readonly value: Value } | { readonly failed: string };

/** What leads to an isolate. */
export interface Line<Question> {
  post(question: Question): void;
  stop(): void;
}

/** The end that asks. Whoever holds the line gives answers to `hear`, and to `fail` what broke it. */
export class Asking<Question, Value> {
  readonly #line: Line<Question>;
  readonly #title: string;
  readonly #waiting: { resolve(value: Value): void; reject(error: Error): void }[] = [];
  #broken: Error | undefined;

  /** @param title what errors call the other end */
  constructor(line: Line<Question>, title: string) {
    this.#line = line;
    this.#title = title;
  }

  hear(answer: Answer<Value>): void {
    const asked = this.#waiting.shift();
    if ("failed" in answer) asked?.reject(new Error(`${this.#title}: ${answer.failed}`));
    else asked?.resolve(answer.value);
  }

  fail(error: Error): void {
    this.#broken ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#broken);
  }

  ask(question: Question): Promise<Value> {
    if (this.#broken) return Promise.reject(this.#broken);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#line.post(question);
    });
  }

  /** Ends the isolate, and with it what is still asked. */
  close(): void {
    this.fail(new Error(`${this.#title} is closed`));
    this.#line.stop();
  }
}
