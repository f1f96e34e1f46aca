import { createInterface } from "node:readline";
import { answer, type Commands } from "./commands.ts";

// Node, Deno, Bun: a line of JSON in for each call, a line of JSON out.
export function serve(commands: Commands): void {
  createInterface({ input: process.stdin }).on("line", async (line) => {
    const { name, argument } = JSON.parse(line);
    process.stdout.write(`${JSON.stringify(await answer(commands, name, argument))}\n`);
  });
}
