import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { build } from "esbuild";
import { bundling } from "../../scripts/bundling.mjs";

// A page for a browser on this machine: its bundles in memory, and a server for them.

/** By address: `/index.html`. */
export type SiteFiles = Map<string, Uint8Array>;

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
};

/** A page that is isolated gets a clock of 5 microseconds instead of 100. */
const HEADERS: Readonly<Record<string, string>> = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cache-Control": "no-store",
  "X-Content-Type-Options": "nosniff",
};

/** @param entries sources under `folder`, by the names that their bundles get */
export async function bundlePage(folder: string, entries: Readonly<Record<string, string>>): Promise<SiteFiles> {
  const { outputFiles } = await build({
    ...bundling,
    format: "esm",
    loader: { ".wasm": "binary" },
    logLevel: "warning",
    packages: "bundle",
    platform: "browser",
    entryPoints: Object.fromEntries(Object.entries(entries).map(([name, file]) => [name, path.join(folder, file)])),
    outdir: folder,
    write: false,
  });
  return new Map(outputFiles.map(({ path: file, contents }) => [`/${path.basename(file)}`, contents]));
}

/** Serves files on 127.0.0.1 until the process ends, and says where. Port 0 is any that is free. */
export async function serveFiles(files: SiteFiles, port: number, headers: Readonly<Record<string, string>> = {}): Promise<void> {
  const server = createServer(({ url }, response) => {
    const { pathname } = new URL(url ?? "/", "http://127.0.0.1");
    const name = pathname === "/" ? "/index.html" : pathname;
    const contents = files.get(name);
    const all = { ...HEADERS, ...headers };
    if (contents === undefined) return response.writeHead(404, all).end("not found");
    const type = TYPES[path.extname(name)] ?? "application/octet-stream";
    return response.writeHead(200, { ...all, "Content-Type": type, "Content-Length": contents.length }).end(contents);
  });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve));
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}/  (ctrl-c ends it)`);
}
