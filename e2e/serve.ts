import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";

/** Serves the files of a folder to any page, at an address of 127.0.0.1. */
export async function serveFolder(folder: string): Promise<{ address: string; close: () => void }> {
  const server = createServer(async ({ url = "" }, response) => {
    const file = path.join(folder, path.posix.normalize(url));
    response.setHeader("Access-Control-Allow-Origin", "*");
    if (existsSync(file)) response.writeHead(200, { "Cache-Control": "no-store" }).end(await readFile(file));
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() };
}
