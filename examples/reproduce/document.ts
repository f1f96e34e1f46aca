import { cpus } from "node:os";
import type { Judges, Measured, Outcome, Tuned } from "./figures.js";
import { type Options, SETTINGS, type SettingName } from "./options.js";
import { PAPER } from "./paper.js";
import { firstTable, layerTable, stageTable, tensorTable, tunedTable } from "./tables.js";

/** What was trained with a seed. */
export interface SeedOutcome {
  readonly settings: Partial<Record<SettingName, Outcome>>;
  /** Of the paper's setting. */
  readonly tuned?: readonly Tuned[];
}

/** Everything in Markdown. */
export function documentOf(options: Options, { heldOut, test }: Judges, seeds: readonly SeedOutcome[]): string {
  const { network, settings } = options;
  const paper = PAPER[network];
  const judge = test === undefined ? "held-out digits" : "test images";
  const [first] = seeds;
  const outcomes = (setting: SettingName): Outcome[] => seeds.map((seed) => seed.settings[setting]!);
  const parameters = first.settings[settings[0]]!.done.report.archive.parameterBytes;
  const parts = [
    `# ${paper.title}, reproduced`,
    [
      `\`npm run reproduce -- ${commandOf(options)}\`: ${seedsTitle(options)}.`,
      test === undefined
        ? `Errors are of the ${count(heldOut)} training digits that were held out to choose by.`
        : `Errors are of the ${count(test)} test images of MNIST; ${count(heldOut)} of the training digits were held out to choose by.`,
      `The ratio is that of ${parameters.toLocaleString("en-US")} bytes of float32 parameters over the bytes.`,
      `${cpus()[0].model.trim()}, Node ${process.versions.node}, ${options.threads === 1 ? "one thread" : `${options.threads} threads`}.`,
      ...(options.quick ? ["With a twentieth of the epochs: a look at the command, no result."] : []),
    ].join(" "),
    "## Table 1",
    firstTable(
      paper,
      settings.map((setting) => ({ title: SETTINGS[setting], seeds: outcomes(setting).map(({ points }) => points) })),
    ),
  ];
  for (const setting of settings) {
    parts.push(`## Stage by stage: ${SETTINGS[setting]}`);
    parts.push(
      stageTable(
        outcomes(setting).map(({ points, untrained }) => [...points, untrained]),
        judge,
      ),
    );
    parts.push(
      "Bytes before coding are the paper's P and P+Q: codes and gaps of fixed lengths, fillers and codebooks counted. The file is the archive with every byte of it, and its error that of what comes out of it. " +
        "*Without retraining* is the dense network pruned to the same sparsity and shared with as many centroids, tensor by tensor, and nothing trained after it.",
    );
    const { report, stages, archive } = first.settings[setting]!.done;
    if (setting === "paper") {
      parts.push(
        `The paper's Table ${network === "lenet-5" ? 3 : 2} and ours, seed ${options.seeds[0]}:`,
        layerTable(paper, report.tensors, [...stages.values()].at(-1)!, archive.length),
      );
    }
    parts.push(`The file, seed ${options.seeds[0]}:`, tensorTable(report.tensors));
  }
  if (first.tuned) {
    const tuned = seeds.map((seed) => seed.tuned!);
    const tunedBy = (title: string, samples: (tuned: Tuned) => readonly Measured[] | undefined): string[] => [
      `On the ${title}:`,
      tunedTable(tuned, samples),
    ];
    parts.push(
      "## Fine-tuning codebooks",
      "The pruned network of the paper's setting, its weights shared by k-means with few bits, before and after their centroids were trained, and the biases with them, as in the paper. *Recovered* is the part of what sharing lost, of the means; `-` where it lost less than a thousandth of the samples.",
      ...(test ? tunedBy("test images", (of) => of.test) : []),
      ...tunedBy("digits held out", (of) => of.heldOut),
    );
  }
  return `${parts.join("\n\n")}\n`;
}

const count = ({ labels }: { readonly labels: ArrayLike<number> }): string => labels.length.toLocaleString("en-US");

function seedsTitle({ seeds }: Options): string {
  return seeds.length === 1 ? `seed ${seeds[0]}` : `seeds 1 to ${seeds.length}, mean (least to greatest)`;
}

/** What makes the same tables again. */
function commandOf({ network, settings, seeds, oneSeed, heldOut, threads, quick, dense }: Options): string {
  return [
    network,
    ...(settings.length === 1 ? [`--setting ${settings[0]}`] : []),
    ...(oneSeed ? [`--seed ${seeds[0]}`] : seeds.length === 3 ? [] : [`--seeds ${seeds.length}`]),
    ...(heldOut ? ["--held-out"] : []),
    ...(threads === 1 ? [] : [`--threads ${threads}`]),
    ...(quick ? ["--quick"] : []),
    ...(dense === undefined ? [] : [`--dense ${dense}`]),
  ].join(" ");
}
