import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { EdgeVM } from "@edge-runtime/vm";

// node edge-vm-host.ts GLOBAL BUNDLE [NAME=WASM]...: an edge VM in a process of its own that answers a line of JSON for each line of JSON. Its modules are the values of GLOBAL.

const [name, bundle, ...modules] = process.argv.slice(2);
const compiled: Record<string, WebAssembly.Module> = {};
for (const module of modules) {
  const [key, file] = module.split("=");
  compiled[key] = await WebAssembly.compile(new Uint8Array(await readFile(file)));
}
// Neither eval nor compiling WebAssembly is allowed inside, as on the hosts that it stands for.
const vm = new EdgeVM({
  codeGeneration: { strings: false, wasm: false },
  extend: (context) => Object.assign(context, { [name]: compiled }),
});
vm.evaluate(await readFile(bundle, "utf8"));
createInterface({ input: process.stdin }).on("line", async (line) => {
  // What was asked goes in as text, and the answer comes out as text: nothing of one realm reaches the other.
  const { name: command, argument = null } = JSON.parse(line);
  const answer = await vm.evaluate<Promise<string>>(
    `call(${JSON.stringify(command)}, ${JSON.stringify(argument)}).then((answer) => JSON.stringify(answer))`,
  );
  process.stdout.write(`${answer}\n`);
});
