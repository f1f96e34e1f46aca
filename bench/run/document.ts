import type { Machine } from "../report.js";
import { LAYERS, type RunLayer } from "./layers.js";
import { OURS } from "./names.js";
import { PAPER } from "./paper.js";
import type { SuiteResult, Without } from "./suite.js";

// What a run of the suite gives: one document.

/** What loading a layer takes, and what it holds. */
export interface Loaded {
  readonly archiveBytes: number;
  /** Bytes of the layer as it is run on. */
  readonly byteLength: number;
  /** The same after its first batch, for which it may be laid out anew. */
  readonly batchByteLength: number;
  readonly survivors: number;
  /** Milliseconds from the archive in memory: the least and the median. */
  readonly minimum: number;
  readonly median: number;
}

export interface LayerResult extends SuiteResult {
  readonly layer: RunLayer;
  readonly loaded: Loaded;
}

/** Times of a form over those of `OURS`: by the medians. */
export interface Ratios {
  readonly form: string;
  /** By layer. */
  readonly layers: Readonly<Record<string, number>>;
  /** Geometric means: of AlexNet's and VGG-16's six layers, and of all nine; of all that are there, nothing less. */
  readonly six?: number;
  readonly nine?: number;
}

export interface RunDocument {
  readonly machine: Machine;
  /** Versions of what is compared, or why it is left out. */
  readonly peers: Readonly<Record<string, string>>;
  readonly rounds: number;
  readonly layers: readonly LayerResult[];
  readonly ratios: readonly { readonly batch: number; readonly forms: readonly Ratios[] }[];
  /** Microseconds a sample, as the paper has them. */
  readonly paper: typeof PAPER;
}

export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

/** The names of the forms that have times in some layer, in the order of the first that has them. */
export function formNames(layers: readonly SuiteResult[], batch: number): string[] {
  return [
    ...new Set(
      layers.flatMap(({ batches }) => batches.filter((each) => each.batch === batch).flatMap(({ forms }) => forms.map(({ form }) => form))),
    ),
  ];
}

/** Microseconds of a sample, where the form was measured. */
export function timeOf({ batches }: SuiteResult, batch: number, form: string, of: "median" | "minimum"): number | undefined {
  return batches.find((each) => each.batch === batch)?.forms.find((each) => each.form === form)?.[of];
}

/** Of every layer in which both were measured, the time of one form over that of another. */
function quotients(layers: readonly LayerResult[], batch: number, form: string, over: string): Record<string, number> {
  return Object.fromEntries(
    layers.flatMap((result) => {
      const [time, unit] = [form, over].map((each) => timeOf(result, batch, each, "median"));
      return time === undefined || unit === undefined ? [] : [[result.layer.name, time / unit]];
    }),
  );
}

const NAMES: readonly string[] = LAYERS.map(({ name }) => name);
const SIX: readonly string[] = NAMES.filter((name) => /^(Alex|VGG)-/.test(name));

export function ratiosOf(layers: readonly LayerResult[], batch: number): Ratios[] {
  const mean = (found: Record<string, number>, names: readonly string[]): number | undefined =>
    names.every((name) => name in found) ? geometricMean(names.map((name) => found[name])) : undefined;
  return formNames(layers, batch)
    .filter((form) => form !== OURS)
    .map((form) => {
      const found = quotients(layers, batch, form, OURS);
      return { form, layers: found, six: mean(found, SIX), nine: mean(found, NAMES) };
    });
}

export function documentOf(machine: Machine, peers: RunDocument["peers"], rounds: number, layers: readonly LayerResult[]): RunDocument {
  const batches = [...new Set(layers.flatMap(({ batches }) => batches.map(({ batch }) => batch)))];
  return {
    machine,
    peers,
    rounds,
    layers,
    ratios: batches.map((batch) => ({ batch, forms: ratiosOf(layers, batch) })),
    paper: PAPER,
  };
}

/** What was refused or left out, each reason once, and where. */
export function withoutTimes(layers: readonly LayerResult[]): Without[] {
  const reasons = new Map<string, Without>();
  for (const { layer, leftOut, batches } of layers) {
    for (const each of leftOut) reasons.set(`${each.form}: ${each.reason}`, each);
    for (const { batch, refused } of batches)
      for (const { form, reason } of refused)
        reasons.set(`${form} ${layer.name} ${batch}`, { form, reason: `on ${layer.name}, batch ${batch}, ${reason}` });
  }
  return [...reasons.values()];
}

export const agreed = ({ layers }: RunDocument): boolean =>
  layers.every(({ batches }) => batches.every(({ refused }) => refused.length === 0));
