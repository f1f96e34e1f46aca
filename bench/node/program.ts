import { execFile, spawn } from "node:child_process";
import { open, readFile, rm } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import type { NativeProcess } from "../harness.js";
import type { NativeSpec } from "../kernels/task.js";

// Programs that are told by lines what to do, and answer each by one: bench/native/main.c, and bench/peers/scipy_csr.py in its words.

export interface Program extends NativeProcess {
  /** Bytes of the first output. */
  output(): Promise<Uint8Array>;
}

let inputs = 0;

/** As bench/native/main.c reads it. */
async function writeInput(file: string, { numbers, inputs }: NativeSpec): Promise<void> {
  const arrays: ArrayBufferView[] = [Float64Array.from(numbers), ...inputs];
  const handle = await open(file, "w");
  try {
    await handle.writeFile(new Uint8Array(BigUint64Array.of(BigInt(arrays.length)).buffer));
    for (const { buffer, byteOffset, byteLength } of arrays) {
      await handle.writeFile(new Uint8Array(BigUint64Array.of(BigInt(byteLength)).buffer));
      await handle.writeFile(new Uint8Array(buffer, byteOffset, byteLength));
      await handle.writeFile(new Uint8Array((16 - (byteLength % 16)) % 16));
    }
  } finally {
    await handle.close();
  }
}

/**
 * Starts a program on one kernel and its inputs.
 *
 * @param command the program and what it is given before the kernel and the file of inputs
 * @param folder for that file
 */
export async function startProgram(command: readonly string[], folder: string, spec: NativeSpec): Promise<Program> {
  const file = path.join(folder, `${inputs++}.input`);
  const output = file.replace(/input$/, "output");
  await writeInput(file, spec);
  const [name, ...args] = command;
  const child = spawn(name, [...args, spec.kernel, file], { stdio: ["pipe", "pipe", "inherit"] });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ended = new Promise<never>((_, reject) => {
    child.on("error", reject);
    child.on("exit", (code, signal) => reject(new Error(`the program of ${spec.kernel} ended with ${signal ?? code}`)));
  });
  ended.catch(() => undefined);
  child.stdin.on("error", () => undefined); // how the program ended says more
  async function ask(line: string): Promise<string> {
    child.stdin.write(`${line}\n`);
    const answer = await Promise.race([answers.next(), ended]);
    return answer.done ? ended : answer.value;
  }
  return {
    run: async (calls) => Number(await ask(`run ${calls}`)) / 1e6,
    digest: () => ask("digest"),
    async output() {
      await ask(`write ${output}`);
      return new Uint8Array(await readFile(output));
    },
    close() {
      child.removeAllListeners("exit");
      child.kill();
      for (const each of [file, output]) rm(each, { force: true }).catch(() => undefined);
    },
  };
}

/** What a program prints; undefined where it is not there, or fails. */
function printed(command: string, ...args: string[]): Promise<string | undefined> {
  return promisify(execFile)(command, args).then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  );
}

export async function hasProgram(command: string, ...args: string[]): Promise<boolean> {
  return (await printed(command, ...args)) !== undefined;
}

export interface Python {
  readonly command: string;
  /** Of the module. */
  readonly version: string;
}

const pythons = new Map<string, Promise<Python | undefined>>();

/** python3 with a module: the system's, or else the first of the path. It is looked for once, since importing takes seconds. */
export function pythonWith(module: string): Promise<Python | undefined> {
  const found = pythons.get(module) ?? findPython(module);
  pythons.set(module, found);
  return found;
}

async function findPython(module: string): Promise<Python | undefined> {
  for (const command of ["/usr/bin/python3", "python3"]) {
    const version = await printed(command, "-c", `import ${module}; print(${module}.__version__)`);
    if (version !== undefined) return { command, version };
  }
  return undefined;
}
