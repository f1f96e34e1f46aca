import { rm, stat } from "node:fs/promises";
import { parseArgs } from "node:util";
import { lenetArchive, networkArchive } from "./archives.ts";
import { makeProject } from "./project.ts";
import { RUNTIMES } from "./runtimes/index.ts";
import type { Running } from "./runtimes/runtime.ts";

// npm --prefix e2e run bench [-- --rounds 15 --starts 5]: how fast each runtime decodes an archive of AlexNet's shape, and how soon it has the first tensor of LeNet's. Times are what passes for the host
// from a call to its answer, since Workers have no clock of their own.

const least = (times: readonly number[]): number => Math.min(...times);
const median = (times: readonly number[]): number => times.toSorted((a, b) => a - b)[times.length >> 1];

async function timed(running: Running, command: string): Promise<number> {
  const since = performance.now();
  await running.call(command);
  return performance.now() - since;
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  return [`| ${heads.join(" | ")} |`, `| --- |${" ---: |".repeat(heads.length - 1)}`, ...rows.map((row) => `| ${row.join(" | ")} |`)].join(
    "\n",
  );
}

const WAYS = ["intoRoom", "blocksIntoRoom", "byBlocks"] as const;

const TITLES: Readonly<Record<(typeof WAYS)[number], string>> = {
  intoRoom: "Each tensor into the same memory",
  blocksIntoRoom: "Each block into the same 4 MiB",
  byBlocks: "Each block into new memory",
};

interface Runner {
  readonly about: string;
  readonly running: Running;
  /** Milliseconds of each decoding but the first. */
  readonly times: Readonly<Record<(typeof WAYS)[number], number[]>>;
}

/** All runtimes are started first, and then take turns. */
async function speed(project: string, alexnet: string, rounds: number): Promise<string> {
  const runners: Runner[] = [];
  try {
    for (const { start } of RUNTIMES) {
      const running = await start({ project, entry: "inside/speed.ts", files: { model: alexnet } });
      runners.push({ about: String(await running.call("about")), running, times: { intoRoom: [], blocksIntoRoom: [], byBlocks: [] } });
    }
    for (let round = 0; round <= rounds; round++) {
      for (const way of WAYS) {
        for (let turn = 0; turn < runners.length; turn++) {
          const { running, times } = runners[(turn + round) % runners.length];
          const time = await timed(running, way);
          if (round > 0) times[way].push(time);
        }
      }
    }
    const byteLength = Number(await runners[0].running.call("intoRoom"));
    const cells = (times: readonly number[]): string[] => [
      least(times).toFixed(0),
      median(times).toFixed(0),
      (byteLength / least(times) / 1e6).toFixed(2),
    ];
    const tables = WAYS.map((way) => {
      const fastest = Math.min(...runners.map(({ times }) => least(times[way])));
      const rows = runners.map(({ about, times }) => [about, ...cells(times[way]), (least(times[way]) / fastest).toFixed(2)]);
      return `${TITLES[way]}:\n\n${table(["runtime", "least, ms", "median, ms", "GB/s", "of the fastest"], rows)}`;
    });
    return `${(await stat(alexnet)).size} bytes to ${byteLength}, ${rounds} rounds\n\n${tables.join("\n\n")}`;
  } finally {
    await Promise.all(runners.map(({ running }) => running.close()));
  }
}

/** Each runtime is started anew for each time. */
async function firstTensor(project: string, lenet: string, starts: number): Promise<string> {
  const found = RUNTIMES.map((runtime) => ({ runtime, about: "", times: [] as number[] }));
  for (let i = 0; i < starts; i++) {
    for (const of of found) {
      const running = await of.runtime.start({ project, entry: "inside/start.ts", files: { lenet } });
      try {
        // What a call costs by itself is taken off.
        const calls: number[] = [];
        for (let call = 0; call < 9; call++) calls.push(await timed(running, "about"));
        of.about = String(await running.call("about"));
        of.times.push((await timed(running, "firstTensor")) - median(calls));
      } finally {
        await running.close();
      }
    }
  }
  const rows = found.map(({ about, times }) => [about, least(times).toFixed(1), median(times).toFixed(1)]);
  return `${(await stat(lenet)).size} bytes, ${starts} starts\n\n${table(["runtime", "import to first tensor, ms", "median"], rows)}`;
}

const { values } = parseArgs({ options: { rounds: { type: "string", default: "15" }, starts: { type: "string", default: "5" } } });
const project = await makeProject();
try {
  if (values.rounds !== "0") console.log(`${await speed(project, await networkArchive("alexnet"), Number(values.rounds))}\n`);
  if (values.starts !== "0") console.log(await firstTensor(project, await lenetArchive(), Number(values.starts)));
} finally {
  await rm(project, { recursive: true, force: true });
}
