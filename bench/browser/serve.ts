import { readFile } from "node:fs/promises";
import path from "node:path";
import { parseArgs } from "node:util";
import { bundlePage, serveFiles } from "./site.js";

// npm run bench:browser [-- --port N]: builds the page and serves it on 127.0.0.1.

const { values } = parseArgs({ options: { port: { type: "string", default: "8034" } } });

const HERE = path.resolve("bench/browser");

const files = await bundlePage(HERE, { page: "page.ts", worker: "worker.ts", javascript: "javascript.ts" });
files.set("/index.html", await readFile(path.join(HERE, "index.html")));
await serveFiles(files, Number(values.port));
