import {
  type Evaluation,
  evaluate,
  openOnnxModel,
  randomSamples,
  readArrays,
  readImages,
  readLabels,
  type Samples,
} from "../eval/index.js";
import { faultOf, type OpenedInput, openInput, withInput } from "./input.js";
import { UsageError } from "./usage.js";

export interface EvalFlags {
  readonly inputs?: string;
  readonly images?: string;
  readonly labels?: string;
  readonly input?: string;
  readonly random?: number;
  readonly seed?: number;
  readonly shape?: Readonly<Record<string, readonly number[]>>;
  readonly state?: Readonly<Record<string, string>>;
  readonly scale?: number;
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
  readonly limit?: number;
  readonly batch?: number;
  readonly tolerance?: number;
  readonly maxAccuracyDrop?: number;
  readonly maxBytes?: number;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** What is run where no option says it. */
const RANDOM_SAMPLES = 8;

/** `coppice eval`: two models, or archives of them, on the same samples. */
export async function evalCommand(
  before: string,
  after: string,
  flags: EvalFlags,
  signal: AbortSignal,
  onProgress?: (done: number, total: number) => void,
): Promise<Evaluation> {
  const { maxBytes, shape, state, limit, batch, tolerance, maxAccuracyDrop } = flags;
  checkFlags([before, after], flags);
  const opened = (name: string): Promise<OpenedInput> => openInput(name, signal);
  const { samples, close } = await samplesOf(flags, opened);
  try {
    const labels =
      flags.labels === undefined ? undefined : await withInput(await opened(flags.labels), (file) => readLabels(file, { maxBytes }));
    const model = async (name: string) => withInput(await opened(name), (input) => openOnnxModel(input, { maxBytes, signal }));
    const first = await model(before);
    try {
      const second = await model(after);
      try {
        return await evaluate(first, second, {
          samples,
          labels,
          shapes: shape,
          state,
          limit,
          batch,
          tolerance,
          maxAccuracyDrop,
          onProgress,
          signal,
        });
      } finally {
        await second.release();
      }
    } finally {
      await first.release();
    }
  } finally {
    await close();
  }
}

/** @throws UsageError where options ask for what does not go together */
function checkFlags(models: readonly string[], flags: EvalFlags): void {
  const read = [...models, flags.inputs, flags.images, flags.labels].filter((name) => name === "-");
  if (read.length > 1) throw new UsageError("only one file can be standard input; name the others");
  for (const name of ["scale", "mean", "std"] as const)
    if (flags[name] !== undefined && flags.images === undefined) throw new UsageError(`--${name} is for images; name them with --images`);
  const random = flags.inputs === undefined && flags.images === undefined;
  if (flags.shape !== undefined && !random && flags.state === undefined)
    throw new UsageError("--shape is for random inputs and for a --state; what --images or --inputs brings has its own");
  if (flags.seed !== undefined && !random) throw new UsageError("--seed is for random inputs; leave it, or the others");
  if (flags.input !== undefined && random)
    throw new UsageError("--input says what takes --images or --inputs; name a file with one of them");
  if (flags.labels !== undefined && random) throw new UsageError("--labels is for --images or --inputs; random inputs have no class");
}

/** Samples, whose file is there until they are closed. */
interface OpenedSamples {
  readonly samples: Samples;
  close(): Promise<void>;
}

async function samplesOf(flags: EvalFlags, opened: (name: string) => Promise<OpenedInput>): Promise<OpenedSamples> {
  const { images, inputs, input, scale, mean, std, random = RANDOM_SAMPLES, seed, maxBytes } = flags;
  const name = images ?? inputs;
  if (name === undefined) return { samples: randomSamples(random, seed), close: async () => undefined };
  const file = await opened(name);
  try {
    const read = (): Promise<Samples> =>
      images === undefined ? readArrays(file.input, { input, maxBytes }) : readImages(file.input, { input, scale, mean, std, maxBytes });
    const { labels, plan } = await faultOf(file, read);
    return { samples: { labels, plan: (model, options) => faultOf(file, async () => plan(model, options)) }, close: file.close };
  } catch (error) {
    await file.close();
    throw error;
  }
}
