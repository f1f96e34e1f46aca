import { readFile } from "node:fs/promises";
import path from "node:path";
import { parseArgs } from "node:util";
import { bundlePage, serveFiles } from "../../bench/browser/site.js";

// npm run page [-- --port N]: builds the page and its example, and serves them on 127.0.0.1.

const { values } = parseArgs({ options: { port: { type: "string", default: "8035" } } });

const HERE = path.resolve("examples/browser");
const EXAMPLES = path.resolve("examples/models");

const files = await bundlePage(HERE, {
  page: "page.ts",
  worker: "worker.ts",
  "bench-worker": "../../bench/browser/worker.ts",
  javascript: "../../bench/browser/javascript.ts",
});
for (const name of ["index.html", "style.css", "icon.svg"]) files.set(`/${name}`, await readFile(path.join(HERE, name)));
for (const name of ["lenet-300-100.safetensors", "lenet-300-100.coppice", "lenet-5.coppice"])
  files.set(`/${name}`, await readFile(path.join(EXAMPLES, name)));

// Scripts and WebAssembly of the page's own, and nothing from elsewhere.
const policy = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; img-src 'self' blob:";
await serveFiles(files, Number(values.port), { "Content-Security-Policy": policy });
