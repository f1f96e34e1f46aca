import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { bundle } from "../bundle.ts";
import { type Answer, resultOf } from "../inside/commands.ts";
import { installed } from "../paths.ts";
import type { Running, Runtime } from "./runtime.ts";

// Runtimes that run a file: they find the package by themselves.

interface Script {
  readonly name: string;
  readonly says: RegExp;
  readonly command: readonly string[];
}

const SCRIPTS: readonly Script[] = [
  ...["20", "22", "24", "26"].map((major) => ({
    name: `Node ${major}`,
    says: new RegExp(`^Node ${major}\\.`),
    command: [installed(`node-${major}`, "bin/node")],
  })),
  { name: "Deno", says: /^Deno /, command: [installed("@deno/linux-x64-glibc", "deno"), "run", "--no-remote"] },
  { name: "Bun", says: /^Bun /, command: [installed("@oven/bun-linux-x64", "bin/bun"), "run"] },
];

async function run([program, ...args]: readonly string[], folder: string): Promise<Running> {
  const child = spawn(program, args, { cwd: folder, stdio: ["pipe", "pipe", "inherit"] });
  await once(child, "spawn");
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async call(name, argument) {
      child.stdin.write(`${JSON.stringify({ name, argument })}\n`);
      const { done, value } = await lines.next();
      if (done) throw new Error(`${program} ended with exit code ${child.exitCode}`);
      return resultOf(JSON.parse(value) as Answer);
    },
    async close() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill();
      await once(child, "exit");
    },
  };
}

export const scripts: readonly Runtime[] = SCRIPTS.map(({ name, says, command }) => ({
  name,
  says,
  async start(program) {
    const file = await bundle(program, { serve: "lines", options: { platform: "node", external: ["coppice/*"] } });
    return run([...command, file], program.project);
  },
}));
