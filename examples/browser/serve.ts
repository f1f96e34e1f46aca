import { readFile } from "node:fs/promises";
import path from "node:path";
import { parseArgs } from "node:util";
import { bundlePage, serveFiles } from "../../bench/browser/site.js";
import { compress } from "../../src/index.js";

// npm run page [-- --port N]: builds the page and its example, and serves them on 127.0.0.1.

const { values } = parseArgs({ options: { port: { type: "string", default: "8035" } } });

const HERE = path.resolve("examples/browser");
const MODEL = path.resolve("examples/models/lenet-300-100.safetensors");

const model = new Uint8Array(await readFile(MODEL));
const { archive } = await compress(model, { preset: "paper" });
const files = await bundlePage(HERE, {
  page: "page.ts",
  worker: "worker.ts",
  "bench-worker": "../../bench/browser/worker.ts",
  javascript: "../../bench/browser/javascript.ts",
});
for (const name of ["index.html", "style.css", "icon.svg"]) files.set(`/${name}`, await readFile(path.join(HERE, name)));
files.set("/lenet-300-100.safetensors", model);
files.set("/lenet-300-100.coppice", archive);

// Scripts and WebAssembly of the page's own, and nothing from elsewhere.
const policy = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; img-src 'self' blob:";
await serveFiles(files, Number(values.port), { "Content-Security-Policy": policy });
