import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
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

const HTML = `<!doctype html><meta charset="utf-8"><title>coppice</title>`;

/** A page at an address of 127.0.0.1, where crypto.subtle is to be had, that finds the script at /main.js. */
async function openPage(script: Uint8Array): Promise<{ page: Page; close: () => Promise<void> }> {
  const server = createServer(({ url }, response) => {
    const [type, body] = url === "/main.js" ? ["text/javascript", script] : ["text/html; charset=utf-8", HTML];
    response.writeHead(200, { "Content-Type": type, "Cache-Control": "no-store" }).end(body);
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

function inChromium(name: string, says: RegExp, serve: keyof typeof CALLERS): Runtime {
  return {
    name,
    says,
    async start(program): Promise<Running> {
      const file = await bundle(program, { serve, options: { platform: "browser" } });
      const { page, close } = await openPage(await readFile(file));
      const caller = await page.evaluateHandle<Call>(CALLERS[serve]);
      return {
        async call(command, argument) {
          return resultOf(await page.evaluate(([call, wanted, given]) => call(wanted, given), [caller, command, argument] as const));
        },
        close,
      };
    },
  };
}

export const chromiums: readonly Runtime[] = [
  inChromium("Chromium page", /^Chromium \d.* page$/, "global"),
  inChromium("Chromium Web Worker", /^Chromium \d.* worker$/, "messages"),
];
