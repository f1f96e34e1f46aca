import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import type * as Coppice from "../../src/index.js";
import type { Recipe } from "../../src/index.js";
import { fillNormal, normalState, thresholdFor } from "../corpus.js";
import type { NetworkName } from "../networks.js";
import {
  CLI,
  coppice,
  coppiceWithPeak,
  DIST,
  hasOption,
  hasProgram,
  inOwnProcess,
  least,
  median,
  timed,
  zstdMemoryRate,
} from "./measure.js";
import { writeNetwork, writeSynthetic } from "./models.js";

// What is measured of whole files, a part each. Programs that are compared run in turn.

export interface Context {
  /** Where models and archives are kept: those that are there are not made again. */
  readonly folder: string;
  readonly rounds: number;
  readonly say: (what: string, figure: string) => void;
}

const MB = 1e6;

const WARM_ROUNDS = 8;

const mb = (bytes: number): string => `${(bytes / MB).toFixed(0)} MB`;
const seconds = (value: number): string => `${value.toFixed(value < 10 ? 3 : 1)} s`;
const fixed = (value: number): string => value.toFixed(2);

interface Files {
  readonly model: string;
  readonly recipe: string;
  readonly archive: string;
  readonly shared: string;
}

async function networkFiles({ folder }: Context, network: NetworkName): Promise<Files> {
  const [model, recipe, archive, shared] = ["safetensors", "json", "coppice", "shared.safetensors"].map((end) =>
    path.join(folder, `${network}.${end}`),
  );
  if (!existsSync(recipe)) writeFileSync(recipe, JSON.stringify(writeNetwork(network, model, false)));
  if (!existsSync(shared)) writeNetwork(network, shared, true);
  await coppice("compress", model, "--recipe", recipe, "-o", archive, "--force", "--quiet");
  return { model, recipe, archive, shared };
}

/** The tensors pruned and shared, by `zstd -19`, and the seconds that it took. */
async function zstdOfShared({ shared }: Files): Promise<{ file: string; seconds: number }> {
  const file = `${shared}.zst`;
  const took = `${file}.seconds`;
  if (!existsSync(took)) {
    const ran = await timed("zstd", ["-19", "-T2", "-q", "-f", shared, "-o", file]);
    writeFileSync(took, String(ran.seconds));
  }
  return { file, seconds: Number(readFileSync(took, "utf8")) };
}

/** Model in memory to archive, one thread, thresholds given. */
export async function memoryToArchive(context: Context): Promise<void> {
  const { model, recipe } = await networkFiles(context, "alexnet");
  const bytes = statSync(model).size;
  const own = inOwnProcess({ kind: "compress", model, recipe: JSON.parse(readFileSync(recipe, "utf8")) });
  const first = await own.once();
  const rest: number[] = [];
  for (let i = 0; i < context.rounds; i++) rest.push(await own.once());
  own.close();
  const rate = (ms: number): string => `${((bytes / ms) * 1e-3).toFixed(0)} MB/s`;
  context.say("alexnet in memory -> archive, 1 thread, fresh process", rate(first));
  context.say("alexnet in memory -> archive, 1 thread, best and median of the next", `${rate(least(rest))}, ${rate(median(rest))}`);
}

/** Archive to dense float32 in memory, against native zstd on the same tensors. */
export async function archiveToMemory(context: Context): Promise<void> {
  for (const network of ["alexnet", "vgg16"] as const) {
    const files = await networkFiles(context, network);
    const bytes = statSync(files.shared).size;
    const { file } = await zstdOfShared(files);
    const own = inOwnProcess({ kind: "decode", archive: files.archive, into: false });
    const reusing = inOwnProcess({ kind: "decode", archive: files.archive, into: true });
    const fresh = await own.once();
    await reusing.once();
    const [steady, reused, whole, memory]: number[][] = [[], [], [], []];
    for (let i = 0; i < context.rounds; i++) {
      steady.push(await own.once());
      reused.push(await reusing.once());
      whole.push(1e3 * (await timed("zstd", ["-d", "-q", "-c", file])).seconds);
      memory.push(bytes / (1e3 * (await zstdMemoryRate(file))));
    }
    own.close();
    reusing.close();
    const rate = (ms: number): string => `${((bytes / ms) * 1e-6).toFixed(2)} GB/s`;
    context.say(`${network} archive -> memory, fresh process`, rate(fresh));
    context.say(`${network} archive -> memory, best and median of the next`, `${rate(least(steady))}, ${rate(median(steady))}`);
    context.say(`${network} archive -> buffers of the run before, best and median`, `${rate(least(reused))}, ${rate(median(reused))}`);
    context.say(`${network} zstd -d of -19, whole process, best and median`, `${rate(least(whole))}, ${rate(median(whole))}`);
    context.say(`${network} zstd -b -d of -19, in memory, best and median`, `${rate(least(memory))}, ${rate(median(memory))}`);
    const best = Math.min(least(whole), least(memory));
    const times = [least(reused), least(steady), fresh].map((ms) => fixed(best / ms));
    context.say(
      `${network} times zstd's better figure, into the same buffers (new ones; the first run)`,
      `${times[0]} (${times[1]}; ${times[2]})`,
    );
  }
}

/** The command on a file that the page cache has, with one and two workers, and zstd beside it. */
export async function commandLine(context: Context): Promise<void> {
  const files = await networkFiles(context, "alexnet");
  const { model, recipe, archive } = files;
  const back = path.join(context.folder, "alexnet.back.safetensors");
  const threaded = await hasOption("decompress", "--threads");
  const compressed: number[][] = [[], []];
  const restored: number[][] = [[], []];
  for (let i = 0; i < context.rounds; i++) {
    for (const threads of [1, 2]) {
      const args = ["compress", model, "--recipe", recipe, "-o", archive, "--force", "--quiet", "--threads", String(threads)];
      compressed[threads - 1].push((await coppice(...args)).seconds);
      const how = threaded ? ["--threads", String(threads)] : [];
      restored[threads - 1].push((await coppice("decompress", archive, "-o", back, "--force", "--quiet", ...how)).seconds);
    }
  }
  for (const [command, times] of [
    ["compress", compressed],
    ["decompress", restored],
  ] as const) {
    for (const threads of [1, 2])
      context.say(
        `coppice ${command} alexnet, --threads ${threads}, best and median`,
        times[threads - 1].length === 0 ? "-" : `${seconds(least(times[threads - 1]))}, ${seconds(median(times[threads - 1]))}`,
      );
    const note = command === "decompress" && !threaded ? " (decompress has no --threads)" : "";
    context.say(`coppice ${command} alexnet, 2 workers against 1${note}`, `${fixed(least(times[0]) / least(times[1]))}x`);
  }
  const zstd = await zstdOfShared(files);
  const [ours, theirs] = [statSync(archive).size, statSync(zstd.file).size];
  context.say("zstd -19 -T2 of alexnet's pruned, shared tensors", `${seconds(zstd.seconds)}, ${theirs.toLocaleString("en-US")} bytes`);
  context.say("coppice's archive", `${ours.toLocaleString("en-US")} bytes, ${fixed(theirs / ours)}x smaller`);
  const dense = `${model}.zst`;
  const ofModel = await timed("zstd", ["-19", "-T2", "-q", "-f", model, "-o", dense]);
  context.say("zstd -19 -T2 of the model itself", `${seconds(ofModel.seconds)}, ${statSync(dense).size.toLocaleString("en-US")} bytes`);
  const two = least(compressed[1]);
  context.say(
    "coppice compress, 2 workers, against zstd -19 -T2 (of the model; of the shared tensors)",
    `${fixed(ofModel.seconds / two)}x; ${fixed(zstd.seconds / two)}x`,
  );
}

/** Peak memory on files of 1 GB and 4 GB. */
export async function memory(context: Context): Promise<void> {
  if (!(await hasProgram("/usr/bin/time", "-v", "true"))) return context.say("peak memory", "left out: there is no GNU time");
  const peaks: Record<string, number[]> = { compress: [], decompress: [] };
  for (const tensors of [4, 16]) {
    const [model, recipe, archive, back] = ["safetensors", "json", "coppice", "back.safetensors"].map((end) =>
      path.join(context.folder, `${tensors}x256MB.${end}`),
    );
    if (!existsSync(recipe)) writeFileSync(recipe, JSON.stringify(writeSynthetic(model, tensors)));
    for (const [command, ran] of [
      ["compress", await coppiceWithPeak("compress", model, "--recipe", recipe, "-o", archive, "--force", "--quiet")],
      ["decompress", await coppiceWithPeak("decompress", archive, "-o", back, "--force", "--quiet")],
    ] as const) {
      peaks[command].push(ran.peak as number);
      context.say(`coppice ${command}, ${tensors} tensors of 256 MB: peak memory`, `${mb(ran.peak as number)} in ${seconds(ran.seconds)}`);
    }
  }
  for (const [command, [small, large]] of Object.entries(peaks))
    context.say(`coppice ${command}: 4 GB against 1 GB`, `${(100 * (large / small - 1)).toFixed(1)} %`);
}

/** Time against weights, 1 M to 64 M: the slope of a straight line through the logarithms. */
export async function growth(context: Context): Promise<void> {
  const { compress, decode } = (await import(pathToFileURL(path.join(DIST, "index.js")).href)) as typeof Coppice;
  const points: Record<string, [number, number][]> = { compress: [], decode: [] };
  const measure = async (log: number, rounds: number): Promise<{ forth: number; back: number }> => {
    const values = new Float32Array(2 ** log);
    fillNormal(values, 0.02, normalState(log));
    const recipe: Recipe = { rules: [{ prune: { threshold: thresholdFor(values, 0.1) }, share: { bits: 5, init: "linear" } }] };
    const tensor = { name: "weight", dtype: "F32", shape: [2 ** (log - 10), 1024], data: new Uint8Array(values.buffer) } as const;
    const [forth, back]: number[][] = [[], []];
    for (let i = 0; i < rounds; i++) {
      let start = performance.now();
      const { archive } = await compress([tensor], { recipe, threads: 1 });
      forth.push(performance.now() - start);
      start = performance.now();
      decode(archive);
      back.push(performance.now() - start);
    }
    return { forth: least(forth), back: least(back) };
  };
  await measure(21, WARM_ROUNDS); // until V8 has compiled all of it for speed
  for (let log = 20; log <= 26; log++) {
    const { forth, back } = await measure(log, Math.max(context.rounds, 2 ** (24 - log)));
    points["compress"].push([log, Math.log2(forth)]);
    points["decode"].push([log, Math.log2(back)]);
    context.say(`2^${log} weights`, `compress ${forth.toFixed(0)} ms, decode ${back.toFixed(1)} ms`);
  }
  for (const [what, fit] of Object.entries(points)) context.say(`${what}: time grows with weights to the power`, slope(fit).toFixed(3));
}

function slope(points: readonly [number, number][]): number {
  const mean = (at: 0 | 1): number => points.reduce((sum, point) => sum + point[at], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  return (
    points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0) / points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0)
  );
}

/** What it takes to start: the version against an empty program. */
export async function start({ rounds, say }: Context): Promise<void> {
  const [empty, version]: number[][] = [[], []];
  for (let i = 0; i < Math.max(20, 2 * rounds); i++) {
    empty.push((await timed(process.execPath, ["-e", "0"])).seconds);
    version.push((await timed(process.execPath, [CLI, "--version"])).seconds);
  }
  say("node -e 0, median", `${(1e3 * median(empty)).toFixed(1)} ms`);
  say("coppice --version, median", `${(1e3 * median(version)).toFixed(1)} ms`);
  say(
    "coppice --version against node -e 0, medians (least)",
    `${fixed(median(version) / median(empty))}x (${fixed(least(version) / least(empty))}x)`,
  );
}
