import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, inject } from "vitest";
import { safetensorsHeader } from "../../src/archive/safetensors-header.js";
import type { Tensor } from "../../src/types.js";
import { Random } from "../random.js";

export const CLI: string = path.join(inject("bundles"), "cli.js");

export interface Run {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface RunOptions {
  readonly stdin?: Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

function environment(extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const { COPPICE_DEBUG: _, NO_COLOR: __, FORCE_COLOR: ___, ...others } = process.env;
  return { ...others, ...extra };
}

export function start(command: string, args: readonly string[], { cwd, env }: RunOptions = {}): ChildProcess {
  return spawn(command, args, { cwd, env: environment(env), stdio: ["pipe", "pipe", "pipe"] });
}

async function collected(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Runs a program to its end. */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Run> {
  const child = start(command, args, options);
  child.stdin?.on("error", () => undefined); // it may end without having read all
  child.stdin?.end(options.stdin);
  const ended = once(child, "close");
  const [stdout, stderr] = await Promise.all([collected(child.stdout!), collected(child.stderr!)]);
  const [code] = await ended;
  return { code, stdout, stderr: stderr.toString() };
}

/** Runs `coppice`. */
export function coppice(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  return run(process.execPath, [CLI, ...args], options);
}

/** Runs `coppice`, which must do what it was asked. */
export async function done(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  const outcome = await coppice(args, options);
  expect(outcome.code, outcome.stderr).toBe(0);
  return outcome;
}

/** Runs `coppice`, which must end with `code` and one sentence. Gives the sentence. */
export async function fails(code: number, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const outcome = await coppice(args, options);
  expect(outcome).toMatchObject({ code, stderr: expect.stringMatching(/^coppice: [^\n]+\n$/) });
  expect(outcome.stdout.toString()).toBe("");
  return outcome.stderr.slice("coppice: ".length, -1);
}

/** A folder for the tests of one file. */
export function testFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), "coppice-test-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Names in a folder that a temporary file could have. */
export function leftovers(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.endsWith(".tmp"));
}

export function normalTensor(name: string, shape: readonly number[], seed = 1): Tensor {
  const random = new Random(seed);
  const count = shape.reduce((product, axis) => product * axis, 1);
  const values = Float32Array.from({ length: count }, () => random.normal(0.1));
  return { name, dtype: "F32", shape, data: new Uint8Array(values.buffer) };
}

/** Two layers with biases, and a tensor of integers. */
export const NET: readonly Tensor[] = [
  normalTensor("conv.weight", [16, 3, 3, 3], 1),
  normalTensor("conv.bias", [16], 2),
  normalTensor("fc.weight", [40, 72], 3),
  normalTensor("fc.bias", [40], 4),
  { name: "steps", dtype: "I64", shape: [], data: Uint8Array.of(7, 0, 0, 0, 0, 0, 0, 0) },
];

export function safetensors(tensors: readonly Tensor[]): Buffer {
  return Buffer.concat([
    safetensorsHeader(tensors.map((tensor) => ({ ...tensor, byteLength: tensor.data.length }))),
    ...tensors.map(({ data }) => data),
  ]);
}

/** Writes a model and gives its path. */
export function modelFile(folder: string, name = "net.safetensors", tensors: readonly Tensor[] = NET): string {
  const file = path.join(folder, name);
  writeFileSync(file, safetensors(tensors));
  return file;
}
