import { execFile } from "node:child_process";
import { mkdir, rm, stat } from "node:fs/promises";
import path from "node:path";
import { parseArgs, promisify } from "node:util";
import { ROOT } from "./paths.ts";
import { makeProject } from "./project.ts";
import { RUNTIMES } from "./runtimes/index.ts";
import type { Running } from "./runtimes/runtime.ts";

// npm --prefix e2e run bench [-- --rounds 15]: how fast each runtime decodes an archive of AlexNet's shape, block by block. All of them are started first and take turns; the time is what passes for
// the host from the call to the answer, since Workers have no clock of their own.

const run = promisify(execFile);
const FOLDER = path.join(ROOT, "build/e2e");
const ARCHIVE = path.join(FOLDER, "alexnet.coppice");

async function makeArchive(): Promise<void> {
  const model = path.join(FOLDER, "alexnet.safetensors");
  const recipe = path.join(FOLDER, "alexnet.json");
  await mkdir(FOLDER, { recursive: true });
  await run("node", ["scripts/run.mjs", "bench/make-model.ts", "alexnet", "-o", model, "--recipe", recipe], { cwd: ROOT });
  await run("node", ["dist/cli.js", "compress", model, "--recipe", recipe, "--force", "-o", ARCHIVE], { cwd: ROOT });
  await rm(model);
}

interface Runner {
  readonly about: string;
  readonly running: Running;
  /** Milliseconds of each decoding, the first one left out. */
  readonly times: number[];
  first: number;
}

async function start(project: string): Promise<Runner[]> {
  const runners: Runner[] = [];
  for (const runtime of RUNTIMES) {
    const running = await runtime.start({ project, entry: "inside/speed.ts", files: { model: ARCHIVE } });
    runners.push({ about: String(await running.call("about")), running, times: [], first: 0 });
  }
  return runners;
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1];

function table(runners: readonly Runner[], byteLength: number): string {
  const least = ({ times }: Runner): number => Math.min(...times);
  const fastest = Math.min(...runners.map(least));
  const rows = runners.map((runner) => {
    const cells = [runner.first, least(runner), median(runner.times)].map((ms) => ms.toFixed(0));
    const rate = (byteLength / least(runner) / 1e6).toFixed(2);
    return `| ${runner.about} | ${cells.join(" | ")} | ${rate} | ${(least(runner) / fastest).toFixed(2)} |`;
  });
  return [
    "| runtime | first, ms | least, ms | median, ms | GB/s | of the fastest |",
    "| --- | ---: | ---: | ---: | ---: | ---: |",
    ...rows,
  ].join("\n");
}

const { values } = parseArgs({ options: { rounds: { type: "string", default: "15" } } });
const project = await makeProject();
let runners: Runner[] = [];
try {
  if (!(await stat(ARCHIVE).catch(() => undefined))) await makeArchive();
  runners = await start(project);
  let byteLength = 0;
  for (let round = 0; round <= Number(values.rounds); round++) {
    for (let turn = 0; turn < runners.length; turn++) {
      const runner = runners[(turn + round) % runners.length];
      const since = performance.now();
      byteLength = Number(await runner.running.call("decode"));
      const passed = performance.now() - since;
      if (round === 0) runner.first = passed;
      else runner.times.push(passed);
    }
  }
  console.log(`${(await stat(ARCHIVE)).size} bytes to ${byteLength}, ${values.rounds} rounds\n\n${table(runners, byteLength)}`);
} finally {
  await Promise.all(runners.map(({ running }) => running.close()));
  await rm(project, { recursive: true, force: true });
}
