import { bundle } from "../bundle.ts";
import { installed } from "../paths.ts";
import { runLines } from "./lines.ts";
import type { Runtime } from "./runtime.ts";

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

/** Packages in CommonJS ask for modules of Node by it. */
const REQUIRE = `import { createRequire } from "node:module"; const require = createRequire(import.meta.url);`;

export const scripts: readonly Runtime[] = SCRIPTS.map(({ name, says, command }) => ({
  name,
  says,
  async start(program) {
    const file = await bundle(program, { serve: "lines", options: { platform: "node", external: ["coppice/*"], banner: { js: REQUIRE } } });
    return runLines([...command, file], program.project);
  },
}));
