import { type Answer as AnswerOf, Asking, type Line } from "./asking.js";
import { digest, type PreparedTask, type Runnable, rehearse, type Task, timed } from "./kernels/task.js";

// The plain JavaScript of a task, in an isolate of its own. Where a WebAssembly memory has grown, an array buffer was detached, and from then on V8 compiles all code on typed arrays of that isolate with
// checks for it: a third slower, CRC-32C 2.7 times. Whoever uses JavaScript alone never pays that, so what it is compared by must not either. Both ends are here; how messages pass, in node/ and browser/.

/** The JavaScript form that is held to the bits of the others, or the other way to the same end. */
export type JavaScriptForm = "js" | "other";

/** To the isolate: first what to prepare. Each is answered in turn. */
export type Question =
  | { readonly kind: "prepare"; readonly task: string }
  | { readonly kind: "time"; readonly form: JavaScriptForm; readonly calls: number }
  | { readonly kind: "digest" }
  | { readonly kind: "note" };

export type Answer = AnswerOf<string | number>;

/** What the isolate does with a question. Inputs are deterministic: it makes its own, and the digests show whether they were the same. */
export function answering(tasks: readonly Task[], say: (answer: Answer) => void): (question: Question) => void {
  let prepared: PreparedTask | undefined;

  function runnableOf(form: JavaScriptForm): Runnable {
    const runnable = form === "js" ? prepared?.js : prepared?.other?.runnable;
    if (runnable === undefined) throw new RangeError(`nothing is prepared as ${form}`);
    return runnable;
  }

  function answer(question: Question): string | number {
    switch (question.kind) {
      case "prepare": {
        const task = tasks.find(({ name }) => name === question.task);
        if (task === undefined) throw new RangeError(`no kernel is called ${question.task}`);
        prepared = task.prepare();
        rehearse(prepared.js);
        if (prepared.other) rehearse(prepared.other.runnable);
        return task.name;
      }
      case "time":
        return timed(runnableOf(question.form), question.calls);
      case "digest":
        return digest(runnableOf("js").outputs());
      case "note":
        return prepared?.other?.note(runnableOf("other").outputs()) ?? "";
    }
  }

  return (question) => {
    try {
      say({ value: answer(question) });
    } catch (error) {
      say({ failed: String(error) });
    }
  };
}

/** The end that asks. */
export class Isolate extends Asking<Question, string | number> {
  constructor(line: Line<Question>) {
    super(line, "the isolate of JavaScript");
  }

  async prepare(task: string): Promise<void> {
    await this.ask({ kind: "prepare", task });
  }

  /** Milliseconds of `calls` runs, taken there. */
  async time(form: JavaScriptForm, calls: number): Promise<number> {
    return Number(await this.ask({ kind: "time", form, calls }));
  }

  /** Of what the last run of `js` gave. */
  async digest(): Promise<string> {
    return String(await this.ask({ kind: "digest" }));
  }

  /** What `other` says of what its last run gave. */
  async note(): Promise<string> {
    return String(await this.ask({ kind: "note" }));
  }
}
