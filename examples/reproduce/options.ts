import { parseArgs } from "node:util";
import { isNetworkName, type NetworkName } from "./paper.js";

export const SETTINGS = { paper: "the paper's setting", ours: "ours" } as const;
export type SettingName = keyof typeof SETTINGS;

export const USAGE = `usage: npm run reproduce -- lenet-300-100|lenet-5 [options]

Trains on MNIST, from a folder mnist in COPPICE_DATA or ../shared/data, and prints the paper's tables beside ours.
A training that was stopped goes on, and one that is done is taken from build/reproduce.

  --setting paper|ours|all  the paper's recipe, ours, or both (all)
  --seeds N                 with seeds 1 to N (3)
  --seed N                  with one seed alone, so that several can run side by side; the tables
                            of all seeds come from a run without it, which takes what is there
  --held-out                errors on the 5,000 digits held out, to choose by, and no look at the test images
  --threads N               threads that share each batch (1); their number changes the bits
  --quick                   a twentieth of the epochs: a look at the command, no result
  --dense FILE              begin with these dense weights, safetensors, instead of training some
  --keep FILE               write the archive of our setting, of several seeds the best on what was held out
  --out FILE                write the tables there, too, as Markdown`;

export interface Options {
  readonly network: NetworkName;
  readonly settings: readonly SettingName[];
  readonly seeds: readonly number[];
  /** Whether the seed is one of several that run side by side. */
  readonly oneSeed: boolean;
  readonly heldOut: boolean;
  readonly threads: number;
  readonly quick: boolean;
  readonly dense?: string;
  readonly keep?: string;
  readonly out?: string;
}

const MOST_SEEDS = 100;

/**
 * The options of the command line; undefined where its help was asked for.
 *
 * @throws Error with one sentence that names what is amiss
 */
export function parseOptions(args: readonly string[]): Options | undefined {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      setting: { type: "string", default: "all" },
      seeds: { type: "string", default: "3" },
      seed: { type: "string" },
      "held-out": { type: "boolean", default: false },
      threads: { type: "string", default: "1" },
      quick: { type: "boolean", default: false },
      dense: { type: "string" },
      keep: { type: "string" },
      out: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return undefined;
  const [network] = positionals;
  if (positionals.length !== 1 || !isNetworkName(network)) throw new Error(`name one network, lenet-300-100 or lenet-5`);
  const { setting } = values;
  if (setting !== "all" && !(setting in SETTINGS)) throw new Error(`--setting must be paper, ours or all, got ${setting}`);
  const settings = setting === "all" ? (Object.keys(SETTINGS) as SettingName[]) : [setting as SettingName];
  if (values.keep !== undefined && !settings.includes("ours"))
    throw new Error("--keep writes the archive of our setting: leave --setting paper out");
  const seeds =
    values.seed === undefined
      ? Array.from({ length: whole("--seeds", values.seeds, 1, MOST_SEEDS) }, (_, i) => i + 1)
      : [whole("--seed", values.seed, 0, 2 ** 32 - 1)];
  return {
    ...{ network, settings, seeds, oneSeed: values.seed !== undefined, heldOut: values["held-out"] },
    ...{ threads: whole("--threads", values.threads, 1, 64), quick: values.quick },
    ...{ dense: values.dense, keep: values.keep, out: values.out },
  };
}

function whole(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most)
    throw new Error(`${option} must be an integer from ${least} to ${most}, got ${text}`);
  return value;
}
