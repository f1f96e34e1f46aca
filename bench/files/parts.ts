import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import type * as Coppice from "../../src/index.js";
import type { Recipe } from "../../src/index.js";
import { fillNormal, normalState, thresholdFor } from "../corpus.js";
import type { NetworkName } from "../networks.js";
import { hasProgram } from "../node/program.js";
import { CLI, coppice, coppiceWithPeak, DIST, inOwnProcess, least, median, timed, zstdMemoryRate } from "./measure.js";
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

interface Model {
  readonly name: string;
  readonly model: string;
  readonly recipe: string;
  readonly archive: string;
  readonly back: string;
}

/** Compressing and decompressing a file that the page cache has, by one thread and by two; gives the least seconds of two that compress. */
async function byThreads({ rounds, say }: Context, { name, model, recipe, archive, back }: Model): Promise<number> {
  const commands = {
    compress: ["compress", model, "--recipe", recipe, "-o", archive],
    decompress: ["decompress", archive, "-o", back],
  } as const;
  const times = { compress: [[], []] as number[][], decompress: [[], []] as number[][] };
  for (let i = 0; i < rounds; i++) {
    for (const threads of [1, 2]) {
      for (const command of ["compress", "decompress"] as const)
        times[command][threads - 1].push((await coppice(...commands[command], "--force", "--quiet", "--threads", String(threads))).seconds);
    }
  }
  for (const command of ["compress", "decompress"] as const) {
    const [one, two] = times[command];
    for (const [threads, each] of [one, two].entries())
      say(`coppice ${command} ${name}, --threads ${threads + 1}, best and median`, `${seconds(least(each))}, ${seconds(median(each))}`);
    say(
      `coppice ${command} ${name}, 2 threads against 1, best and median`,
      `${fixed(least(one) / least(two))}x, ${fixed(median(one) / median(two))}x`,
    );
  }
  return least(times.compress[1]);
}

/** The command on a file that the page cache has, with one thread and two, and zstd beside it. */
export async function commandLine(context: Context): Promise<void> {
  const files = await networkFiles(context, "alexnet");
  const { model, archive } = files;
  const two = await byThreads(context, { ...files, name: "alexnet", back: path.join(context.folder, "alexnet.back.safetensors") });
  const zstd = await zstdOfShared(files);
  const [ours, theirs] = [statSync(archive).size, statSync(zstd.file).size];
  context.say("zstd -19 -T2 of alexnet's pruned, shared tensors", `${seconds(zstd.seconds)}, ${theirs.toLocaleString("en-US")} bytes`);
  context.say("coppice's archive", `${ours.toLocaleString("en-US")} bytes, ${fixed(theirs / ours)}x smaller`);
  const dense = `${model}.zst`;
  const ofModel = await timed("zstd", ["-19", "-T2", "-q", "-f", model, "-o", dense]);
  context.say("zstd -19 -T2 of the model itself", `${seconds(ofModel.seconds)}, ${statSync(dense).size.toLocaleString("en-US")} bytes`);
  context.say(
    "coppice compress, 2 workers, against zstd -19 -T2 (of the model; of the shared tensors)",
    `${fixed(ofModel.seconds / two)}x; ${fixed(zstd.seconds / two)}x`,
  );
}

/** A file of tensors of 256 MB each. */
function syntheticFiles({ folder }: Context, tensors: number): Model {
  const name = `${tensors} x 256 MB`;
  const [model, recipe, archive, back] = ["safetensors", "json", "coppice", "back.safetensors"].map((end) =>
    path.join(folder, `${tensors}x256MB.${end}`),
  );
  if (!existsSync(recipe)) writeFileSync(recipe, JSON.stringify(writeSynthetic(model, tensors)));
  return { name, model, recipe, archive, back };
}

/** One thread and two on a file of 1 GB, where starting them no longer counts. */
export async function threads(context: Context): Promise<void> {
  await byThreads(context, syntheticFiles(context, 4));
}

/** Peak memory on files of 1 GB and 4 GB. */
export async function memory(context: Context): Promise<void> {
  if (!(await hasProgram("/usr/bin/time", "-v", "true"))) return context.say("peak memory", "left out: there is no GNU time");
  const peaks: Record<string, number[]> = { compress: [], decompress: [] };
  for (const tensors of [4, 16]) {
    const { model, recipe, archive, back } = syntheticFiles(context, tensors);
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
  const points: Record<string, [number, number][]> = {
    compress: [],
    "decode into a buffer that is there": [],
    "decode into new memory": [],
  };
  const measure = async (log: number, rounds: number): Promise<number[]> => {
    const values = new Float32Array(2 ** log);
    fillNormal(values, 0.02, normalState(log));
    const recipe: Recipe = { rules: [{ prune: { threshold: thresholdFor(values, 0.1) }, share: { bits: 5, init: "linear" } }] };
    const tensor = { name: "weight", dtype: "F32", shape: [2 ** (log - 10), 1024], data: new Uint8Array(values.buffer) } as const;
    const out = new Uint8Array(tensor.data.length);
    const [forth, into, back]: number[][] = [[], [], []];
    for (let i = 0; i < rounds; i++) {
      const start = performance.now();
      const { archive } = await compress([tensor], { recipe, threads: 1 });
      const compressed = performance.now();
      decode(archive, { into: () => out });
      const filled = performance.now();
      decode(archive);
      back.push(performance.now() - filled);
      into.push(filled - compressed);
      forth.push(compressed - start);
    }
    return [forth, into, back].map(least);
  };
  await measure(21, WARM_ROUNDS); // until V8 has compiled all of it for speed
  for (let log = 20; log <= 26; log++) {
    const found = await measure(log, Math.max(context.rounds, 2 ** (24 - log)));
    for (const [i, fit] of Object.values(points).entries()) fit.push([log, Math.log2(found[i])]);
    const [forth, into, back] = found.map((ms) => ms.toFixed(1));
    context.say(`2^${log} weights`, `compress ${forth} ms, decode ${into} ms into a buffer that is there, ${back} ms into new memory`);
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
