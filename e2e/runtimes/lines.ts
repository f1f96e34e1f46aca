import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { type Answer, resultOf } from "../inside/commands.ts";
import type { Running } from "./runtime.ts";

/** Starts a program that answers a line of JSON for each line of JSON. */
export async function runLines([program, ...args]: readonly string[], folder: string): Promise<Running> {
  const child = spawn(program, args, { cwd: folder, stdio: ["pipe", "pipe", "inherit"] });
  await once(child, "spawn");
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    pid: child.pid,
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
