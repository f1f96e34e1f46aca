import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { tasksFor } from "../../bench/kernels/index.js";
import { ROOT } from "../../scripts/wasm.mjs";
import { type Actions, commandLine } from "../../src/cli/program.js";

const PAGES = [
  "README.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  "examples/edge/README.md",
  "examples/run/README.md",
  ...readdirSync(path.join(ROOT, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];

/** What a shell has, or who follows an example installs. */
const OF_OTHERS = /^(cd|mkdir|cp|rm|curl|deno|bun|workerd)$/;

interface Command {
  readonly page: string;
  /** A command and its arguments, as a shell divides them. */
  readonly words: readonly string[];
}

/** The commands of a shell's line: its comment is left out, or has commands of its own. */
function commandsOf(line: string): string[][] {
  const [code, comment = ""] = line.split(/(?<=^|\s)#\s*(.*)/);
  const inComment = comment.split(";").filter((part) => /^\s*(npm|node|coppice) /.test(part));
  return [...code.split("&&"), ...inComment.flatMap((part) => part.split("&&"))]
    .map((text) => [...text.matchAll(/"([^"]*)"|\S+/g)].map(([word, quoted]) => quoted ?? word))
    .filter((words) => words.length > 0);
}

/** The commands of a page's shell blocks, and those that stand in its text. */
function commandsIn(page: string): Command[] {
  const text = readFileSync(path.join(ROOT, page), "utf8");
  const blocks = [...text.matchAll(/^```sh\n([\s\S]*?)^```/gm)].flatMap(([, code]) => code.trimEnd().split("\n"));
  const inText = [...text.replace(/^```[\s\S]*?^```/gm, "").matchAll(/`((?:npm|node|bash|coppice) [^`]+)`/g)].map(([, code]) => code);
  return [...blocks, ...inText].flatMap((line) => commandsOf(line).map((words) => ({ page, words })));
}

const COMMANDS = PAGES.flatMap(commandsIn);

/** What npm is asked for: the folder, what it is to do, and what a script of it gets. */
function npmOf(words: readonly string[]): { folder: string; verb: string; args: readonly string[] } {
  const own = words[1] === "--prefix" ? words.slice(3) : words.slice(1);
  const dashes = own.indexOf("--");
  const [verb, name] = own;
  return {
    folder: words[1] === "--prefix" ? words[2] : ".",
    verb: verb === "run" ? name : verb,
    args: dashes < 0 ? [] : own.slice(dashes + 1),
  };
}

const OF_NPM = ["ci", "install", "link", "pack", "prefix"];

function scriptsOf(folder: string): Readonly<Record<string, string>> {
  return JSON.parse(readFileSync(path.join(ROOT, folder, "package.json"), "utf8")).scripts;
}

const isFile = (name: string): boolean => /^[A-Z]+\.ts$/.test(name) || existsSync(path.join(ROOT, name));

const nothing = async (): Promise<void> => undefined;
const idle: Actions = {
  compress: nothing,
  decompress: nothing,
  inspect: nothing,
  verify: nothing,
  eval: nothing,
  train: nothing,
  bench: nothing,
  benchRun: nothing,
  benchNetworks: nothing,
};

/** Why a command cannot be run as it stands, if so. */
async function fault([program, ...args]: readonly string[]): Promise<string | undefined> {
  if (program === "npm") {
    const { folder, verb } = npmOf([program, ...args]);
    return OF_NPM.includes(verb) || scriptsOf(folder)[verb] !== undefined ? undefined : `${folder} has no script ${verb}`;
  }
  if (program === "coppice") {
    const parser = commandLine(idle, () => undefined);
    // A command's name alone is no more than that.
    if (args.length === 1 && parser.commands.some((command) => command.name() === args[0])) return undefined;
    return parser.parseAsync(args, { from: "user" }).then(
      () => undefined,
      (error) => (/^commander\.(version|helpDisplayed)$/.test(error.code) ? undefined : error.message),
    );
  }
  if (program === "bash" || program === "node") {
    if (args[0] === "dist/cli.js") return fault(["coppice", ...args.slice(1)]);
    const files = args.slice(0, args[0] === "scripts/run.mjs" ? 2 : 1).filter((name) => !name.startsWith("-"));
    return files.every(isFile) ? undefined : `there is no ${files.find((name) => !isFile(name))}`;
  }
  return OF_OTHERS.test(program) ? undefined : `nothing is known of ${program}`;
}

/** All that the pages give a script of this package after its name. */
function argumentsOf(script: string): string[] {
  return COMMANDS.filter(({ words }) => words[0] === "npm")
    .map(({ words }) => npmOf(words))
    .filter(({ folder, verb }) => folder === "." && verb === script)
    .flatMap(({ args }) => args);
}

/** Runs a script of this package, with arguments that it stops at before any work. */
function stopped(script: string, ...args: readonly string[]): string {
  const [node, ...rest] = scriptsOf(".")[script].split(" ");
  expect(node).toBe("node");
  const { stdout, stderr } = spawnSync(process.execPath, [...rest, ...args], { cwd: ROOT, encoding: "utf8" });
  return stdout + stderr;
}

describe("the commands of the pages", () => {
  it("are found, in blocks, in the text, and in comments", () => {
    const found = (page: string, command: string): boolean =>
      COMMANDS.some((one) => one.page === page && one.words.join(" ").startsWith(command));
    expect(found("docs/results.md", "npm run sizes")).toBe(true);
    expect(found("docs/benchmarks.md", "npm run bench -- huffman decode")).toBe(true);
    expect(found("docs/benchmarks.md", "npm run bench:files -- cli threads")).toBe(true);
    expect(found("CONTRIBUTING.md", "npm --prefix e2e run test:page")).toBe(true);
    expect(found("CONTRIBUTING.md", "bash .ci/run")).toBe(true);
  });

  it.each(PAGES)("can be run: %s", async (page) => {
    for (const { words } of COMMANDS.filter((command) => command.page === page))
      expect(await fault(words), words.join(" ")).toBeUndefined();
  });

  it("would not pass if they could not", async () => {
    for (const line of [
      "npm run size",
      "npm --prefix e2e run sizes",
      "coppice inspekt net.coppice",
      "coppice inspekt",
      "coppice verify net.npy --quiet",
      "coppice compress net.npy --bit 4",
      "node scripts/run.mjs examples/evaluate.ts",
      "node dist/cli.js compress net.npy -p exact",
      "bash .ci/walk",
      "npmrun bench",
    ])
      expect(await fault(line.split(" ")), line).toBeDefined();
  });

  it("measure kernels that there are", () => {
    const args = argumentsOf("bench");
    const options = args.flatMap((word, i) => (word.startsWith("--") ? [word, args[i + 1]] : []));
    const kernels = args.filter((word) => !options.includes(word) && !["run", "networks"].includes(word));
    expect(kernels.length).toBeGreaterThan(2);
    expect(kernels.filter((name) => tasksFor([name]).length === 0)).toEqual([]);
    expect(stopped("bench", ...options, "--list")).toBe(stopped("bench", "--list"));
  });

  it("measure files and programs by parts that there are", () => {
    expect(stopped("bench:files", ...argumentsOf("bench:files"), "nothing")).toMatch(/^no part is called nothing; there are /);
  });

  it("fuzz as the fuzzer can be told to", () => {
    expect(stopped("fuzz", ...argumentsOf("fuzz"), "--inputs", "0")).toMatch(/RangeError: --inputs must be /);
  });

  it("test what there is", () => {
    expect(argumentsOf("test").length).toBeGreaterThan(1);
    expect(argumentsOf("test").filter((name) => !existsSync(path.join(ROOT, name)))).toEqual([]);
  });
});
