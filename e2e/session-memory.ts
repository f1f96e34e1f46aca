import { execFile } from "node:child_process";
import { mkdtemp, open, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { installed, ROOT } from "./paths.ts";

// npm --prefix e2e run memory:session: what a Node process takes to load an ONNX model of 207 MB into onnxruntime-node, out of its archive. Linux alone tells the memory of a process so.

const run = promisify(execFile);
const SIDE = 3600;
const LAYERS = 4;

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) + 128);
  return Buffer.from([...bytes, value]);
}

const field = (number: number, ...parts: readonly (Buffer | string)[]): Buffer => {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part)));
  return Buffer.concat([varint(8 * number + 2), varint(body.length), body]);
};
const int = (number: number, value: number): Buffer => Buffer.concat([varint(8 * number), varint(value)]);

/** An input or output [1, SIDE]. */
const value = (number: number, name: string): Buffer => {
  const shape = field(2, field(1, int(1, 1)), field(1, int(1, SIDE)));
  return field(number, field(1, name), field(2, field(1, int(1, 1), shape)));
};

/** Matrices, one after another, of numbers that look like weights. */
async function writeModel(file: string): Promise<void> {
  const weights = new Float32Array(SIDE * SIDE);
  const graph: Buffer[] = [field(2, "chain")];
  for (let layer = 0; layer < LAYERS; layer++) {
    for (let i = 0; i < weights.length; i++) weights[i] = (Math.random() + Math.random() + Math.random() - 1.5) / SIDE;
    graph.push(field(1, field(1, `x${layer}`), field(1, `w${layer}`), field(2, `x${layer + 1}`), field(4, "MatMul")));
    graph.push(field(5, int(1, SIDE), int(1, SIDE), int(2, 1), field(8, `w${layer}`), field(9, Buffer.from(weights.slice().buffer))));
  }
  graph.push(value(11, "x0"), value(12, `x${LAYERS}`));
  const handle = await open(file, "w");
  await handle.writeFile(Buffer.concat([int(1, 8), field(7, ...graph), field(8, int(2, 17))]));
  await handle.close();
}

/** Megabytes that the process has at most, before and after the model is loaded. */
async function peaks(archive: string, source: string, runtime: string): Promise<[number, number]> {
  const program = `
    import { readFileSync, createReadStream } from "node:fs";
    import { createRequire } from "node:module";
    import { Readable } from "node:stream";
    const peak = () => Number(/VmHWM:\\s*(\\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]) / 1e3;
    const file = ${JSON.stringify(archive)};
    const { createSession } = await import(${JSON.stringify(path.join(ROOT, "dist/onnxruntime.node.js"))});
    const real = createRequire(${JSON.stringify(installed("onnxruntime-node", "package.json"))})("onnxruntime-node");
    const none = { InferenceSession: { create: async (model) => model } };
    const before = peak();
    await createSession(${source}, { ort: ${runtime} });
    console.log(JSON.stringify([before, peak()]));`;
  const { stdout } = await run(installed("node-24", "bin/node"), ["--input-type=module", "--eval", program]);
  return JSON.parse(stdout) as [number, number];
}

const SOURCES = { "a path": "file", "a stream": "Readable.toWeb(createReadStream(file))" };

const folder = await mkdtemp(path.join(tmpdir(), "coppice-memory-"));
try {
  const model = path.join(folder, "chain.onnx");
  await writeModel(model);
  console.log(`${(await stat(model)).size} bytes of ONNX\n`);
  console.log(
    "| preset | archive, bytes | from | into | before, MB | at most, MB | more, MB |\n| --- | ---: | --- | --- | ---: | ---: | ---: |",
  );
  for (const preset of ["default", "exact"]) {
    const archive = path.join(folder, `${preset}.coppice`);
    await run("node", [path.join(ROOT, "dist/cli.js"), "compress", model, "--preset", preset, "-o", archive, "--quiet"]);
    for (const [from, source] of Object.entries(SOURCES)) {
      for (const [into, runtime] of [
        ["nothing", "none"],
        ["onnxruntime-node", "real"],
      ]) {
        const [before, after] = await peaks(archive, source, runtime);
        console.log(
          `| ${[preset, (await stat(archive)).size, from, into, ...[before, after, after - before].map((mb) => mb.toFixed(0))].join(" | ")} |`,
        );
      }
    }
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
