import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import path from "node:path";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { bundling } from "../../scripts/bundling.mjs";

// npm run bench:browser [-- --port N]: builds the page and serves it on 127.0.0.1.

const { values } = parseArgs({ options: { port: { type: "string", default: "8034" } } });

const HERE = path.resolve("bench/browser");
const TYPES: Readonly<Record<string, string>> = { ".html": "text/html; charset=utf-8", ".js": "text/javascript" };

/** A page that is isolated gets a clock of 5 microseconds instead of 100. */
const HEADERS = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cache-Control": "no-store",
};

const { outputFiles } = await build({
  ...bundling,
  format: "esm",
  loader: { ".wasm": "binary" },
  logLevel: "warning",
  packages: "bundle",
  platform: "browser",
  entryPoints: ["page", "worker", "javascript"].map((name) => path.join(HERE, `${name}.ts`)),
  outdir: HERE,
  write: false,
});
const files = new Map<string, Uint8Array>(outputFiles.map(({ path: file, contents }) => [`/${path.basename(file)}`, contents]));
files.set("/index.html", await readFile(path.join(HERE, "index.html")));

const server = createServer(({ url }, response) => {
  const { pathname } = new URL(url ?? "/", "http://127.0.0.1");
  const name = pathname === "/" ? "/index.html" : pathname;
  const contents = files.get(name);
  if (contents === undefined) return response.writeHead(404, HEADERS).end("not found");
  return response.writeHead(200, { ...HEADERS, "Content-Type": TYPES[path.extname(name)] }).end(contents);
});
server.listen(Number(values.port), "127.0.0.1", () => console.log(`http://127.0.0.1:${values.port}/  (ctrl-c ends it)`));
