import { disagreement, type Without } from "../run/suite.js";
import { type Plan, summary, takeTurns, warmUp } from "../turns.js";
import type { WholeForm, WholeOffer } from "./forms.js";
import { IMAGES, type WholeSubject } from "./subject.js";

// One network in all forms: opened once, held to the same outputs, and timed in turn.

export interface WholeTimes {
  readonly form: string;
  /** Milliseconds of an image: the least, the median, and what was measured. */
  readonly minimum: number;
  readonly median: number;
  readonly samples: readonly number[];
  /** Bytes that the form takes once it has run. */
  readonly bytes: number;
  /** Milliseconds from the archive, or the files of the model, to a network that runs. */
  readonly load: number;
}

export interface WholeResult {
  readonly name: string;
  readonly archiveBytes: number;
  readonly denseBytes: number;
  readonly forms: readonly WholeTimes[];
  /** Forms that are not there. */
  readonly leftOut: readonly Without[];
  /** Forms whose outputs differ. */
  readonly refused: readonly Without[];
}

export interface WholeOptions {
  /** How often each form is measured. */
  readonly rounds: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (text: string) => void;
}

interface Opened {
  readonly form: WholeForm;
  readonly load: number;
  readonly bytes: number;
}

/** Opens the forms that there are, and runs each on every image: what differs from the first is refused. */
async function opened(
  subject: WholeSubject,
  offers: readonly WholeOffer[],
  forms: Opened[],
  options: WholeOptions,
): Promise<Pick<WholeResult, "leftOut" | "refused">> {
  const leftOut: Without[] = [];
  const refused: Without[] = [];
  let wanted: Float64Array | undefined;
  for (const { name, open } of offers) {
    options.onProgress?.(`${subject.network.name}: ${name}`);
    const start = performance.now();
    const form = await open(subject);
    const load = performance.now() - start;
    if (typeof form === "string") {
      leftOut.push({ form: name, reason: form });
      continue;
    }
    await form.feed({ batch: 1, count: IMAGES, x: subject.images });
    await form.time(IMAGES);
    const outputs = await form.outputs();
    wanted ??= Float64Array.from(outputs);
    const reason = disagreement(outputs, wanted);
    if (reason === undefined) forms.push({ form, load, bytes: await form.bytes() });
    else {
      refused.push({ form: name, reason });
      await form.close();
    }
    options.signal?.throwIfAborted();
  }
  return { leftOut, refused };
}

export async function runNetwork(subject: WholeSubject, offers: readonly WholeOffer[], options: WholeOptions): Promise<WholeResult> {
  const { network, archive, denseBytes } = subject;
  const forms: Opened[] = [];
  try {
    const found = await opened(subject, offers, forms, options);
    const plans: Plan<WholeForm>[] = [];
    for (const { form } of forms) {
      options.onProgress?.(`${network.name}: ${form.name} warms up`);
      plans.push(await warmUp(form, options.rounds));
      options.signal?.throwIfAborted();
    }
    const turns = await takeTurns(plans, { ...options, onProgress: (text) => options.onProgress?.(`${network.name}: ${text}`) });
    const times = forms.map(
      ({ form, load, bytes }, i): WholeTimes => ({ form: form.name, ...summary(turns[i]), samples: turns[i], bytes, load }),
    );
    return { name: network.name, archiveBytes: archive.length, denseBytes, forms: times, ...found };
  } finally {
    for (const { form } of forms) await form.close();
  }
}
