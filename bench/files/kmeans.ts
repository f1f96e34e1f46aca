import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { newEngine } from "../../src/kernels/engine.js";
import { inertiaOf } from "../js/kmeans.js";
import { kmeansSurvivors, wasmKmeans } from "../kernels/sharing.js";
import { pythonWith } from "../node/program.js";
import { least, median } from "./measure.js";
import type { Context } from "./parts.js";

interface Peer {
  readonly version: string;
  readonly seconds: readonly number[];
  readonly iterations: number;
  readonly inertia: number;
}

/** k-means of AlexNet's fc6 with 32 centroids, against scikit-learn on the same float64 values from the same start. */
export async function kmeansPeer({ folder, rounds, say }: Context): Promise<void> {
  const survivors = kmeansSurvivors();
  const ours = wasmKmeans(newEngine(), survivors);
  const times: number[] = [];
  for (let i = 0; i < 5 + 5 * rounds; i++) {
    const start = performance.now();
    ours.run();
    times.push(performance.now() - start);
  }
  const [centroids, [iterations]] = ours.outputs() as [Float64Array, Uint32Array];
  const inertia = inertiaOf(survivors, centroids);
  say(
    "k-means, WASM, best and median",
    `${least(times).toFixed(2)} ms, ${median(times).toFixed(2)} ms, ${iterations} iterations, inertia ${inertia.toFixed(6)}`,
  );
  const python = await pythonWith("sklearn");
  if (python === undefined) return say("k-means, scikit-learn", "left out: python3 has no sklearn");
  const file = path.join(folder, "fc6.survivors.f32");
  writeFileSync(file, survivors);
  const { stdout } = await promisify(execFile)(python.command, [
    path.resolve("bench/peers/sklearn_kmeans.py"),
    file,
    "32",
    String(Math.min(3, rounds)),
  ]);
  const peer = JSON.parse(stdout) as Peer;
  const best = 1e3 * least(peer.seconds);
  say(
    `k-means, scikit-learn ${peer.version}, best`,
    `${best.toFixed(0)} ms, ${peer.iterations} iterations, inertia ${peer.inertia.toFixed(6)}`,
  );
  const away = 100 * (inertia / peer.inertia - 1);
  say(
    "k-means against scikit-learn",
    `${(best / least(times)).toFixed(0)}x as fast, inertia ${Math.abs(away).toFixed(3)} % ${away > 0 ? "more" : "less"}`,
  );
}
