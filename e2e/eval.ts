import { rm } from "node:fs/promises";
import { cases, type Evaluation, evaluated } from "./evaluations.ts";
import { makeProject } from "./project.ts";

// npm --prefix e2e run eval [NAME...]: what the published models answer out of their archives, as Markdown. COPPICE_DATA names the folder of the models (../shared/data unless set).

const RUNS: readonly (readonly [name: string, ...options: string[]])[] = [
  ["lenet-300-100.dense"],
  ["lenet-5.dense"],
  ["lenet-300-100.dns-sparse", "--bits", "4"],
  ["lenet-5.dns-sparse", "--bits", "4"],
  ["resnet20"],
  ["resnet32"],
  ["mnist-cntk"],
  ["ultraface"],
  ["silero-vad"],
  ["squeezenet"],
  ...["mnist-cntk", "ultraface", "silero-vad"].map((name) => [name, "--preset", "exact"] as const),
];

const digits = (value: number | undefined): string => (value === undefined ? "-" : value === 0 ? "0" : value.toPrecision(3));
const percent = (count: number, { samples }: { samples: number }): string => `${((100 * count) / samples).toFixed(2)} %`;

function rows({ outputs, accuracy }: Evaluation): string[][] {
  return outputs.map(({ name, identical, maxAbs, meanAbs, cosine, top1 }, i) => [
    name,
    identical ? "identical" : digits(maxAbs),
    identical ? "" : digits(meanAbs),
    identical ? "" : (cosine?.toFixed(6) ?? "-"),
    top1 ? percent(top1.agreed, top1) : "",
    ...(accuracy && i === 0 ? [percent(accuracy.before, accuracy), percent(accuracy.after, accuracy)] : ["", ""]),
  ]);
}

const wanted = process.argv.slice(2);
// It builds dist/ where it is older than its sources.
await rm(await makeProject(), { recursive: true });
const there = await cases();
console.log(
  "| model | options | archive | ratio | output | max abs difference | mean abs difference | cosine | same top-1 | accuracy before | after |",
);
console.log("| --- | --- | ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |");
for (const [name, ...options] of RUNS) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const found = there.get(name);
  if (!found) {
    console.error(`${name} is left out: its data is not there`);
    continue;
  }
  const { bytes, ratio, evaluation } = await evaluated(found, ...options);
  for (const row of rows(evaluation))
    console.log(`| ${[name, options.join(" ") || "default", bytes, ratio.toFixed(2), ...row].join(" | ")} |`);
}
