import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { chromium, type Page } from "playwright-core";
import { bundle } from "../bundle.ts";
import { type Answer, resultOf } from "../inside/commands.ts";
import type { Running, Runtime } from "./runtime.ts";

const CHROMIUM = process.env["CHROMIUM"] ?? "/usr/bin/chromium";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const EMPTY: Served = { body: `<!doctype html><meta charset="utf-8"><title>coppice</title>`, type: "text/html; charset=utf-8" };

/** What a server gives at a path. */
export interface Served {
  readonly body: string | Uint8Array;
  readonly type: string;
  readonly policy?: string;
}

export const script = (body: string | Uint8Array, policy?: string): Served => ({ body, type: "text/javascript", policy });

/** A page at an address of 127.0.0.1, where crypto.subtle is to be had, with files beside it; at `/`, an empty one unless given. */
async function openPage(
  files: Readonly<Record<string, Served>>,
  headers: Readonly<Record<string, string>>,
): Promise<{ page: Page; close: () => Promise<void> }> {
  const served: Readonly<Record<string, Served>> = { "/": EMPTY, ...files };
  const server = createServer(({ url = "" }, response) => {
    const { body, type, policy } = served[url] ?? { body: "", type: "text/plain" };
    if (policy !== undefined) response.setHeader("Content-Security-Policy", policy);
    response.writeHead(url in served ? 200 : 404, { "Content-Type": type, "Cache-Control": "no-store", ...headers }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  const close = async (): Promise<void> => {
    await browser.close();
    server.close();
  };
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    return { page, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Gives the function that calls are made with, in the page. */
const CALLERS = {
  global: `import("/main.js").then(() => call)`,
  messages: `(() => {
    const worker = new Worker("/main.js", { type: "module" });
    return (name, argument) => new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = ({ message }) => reject(new Error("the worker failed: " + message));
      worker.postMessage({ name, argument });
    });
  })()`,
} as const;

type Call = (name: string, argument: unknown) => Promise<Answer>;

/** A page or a worker of it, with files beside its script. */
export function inChromium(
  name: string,
  says: RegExp,
  serve: keyof typeof CALLERS,
  files: Readonly<Record<string, Served>> = {},
  headers: Readonly<Record<string, string>> = {},
): Runtime {
  return {
    name,
    says,
    async start(program): Promise<Running> {
      const file = await bundle(program, { serve, options: { platform: "browser" } });
      const { page, close } = await openPage({ "/main.js": script(await readFile(file)), ...files }, headers);
      try {
        const caller = await page.evaluateHandle<Call>(CALLERS[serve]);
        return {
          async call(command, argument) {
            return resultOf(await page.evaluate(([call, wanted, given]) => call(wanted, given), [caller, command, argument] as const));
          },
          close,
        };
      } catch (error) {
        await close();
        throw error;
      }
    },
  };
}

export const chromiums: readonly Runtime[] = [
  inChromium("Chromium page", /^Chromium \d.* page$/, "global"),
  inChromium("Chromium Web Worker", /^Chromium \d.* worker$/, "messages"),
];

/** What a page needs that its threads may share memory. */
const ISOLATED = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

/** Pages and workers that are isolated from other origins, with what the threads of layers run beside their script. */
export const isolated: readonly Runtime[] = chromiums.map(({ name, says }, i) => ({
  name: `isolated ${name}`,
  says,
  async start(program) {
    const worker = await readFile(path.join(program.project, "node_modules/coppice/dist/run-worker.js"));
    return inChromium(name, says, i === 0 ? "global" : "messages", { "/run-worker.js": script(worker) }, ISOLATED).start(program);
  },
}));
