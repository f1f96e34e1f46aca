import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, inject, it } from "vitest";
import { ROOT } from "./paths.ts";
import { inChromium, script } from "./runtimes/chromium.ts";

const project = inject("project");
const lenet = path.join(ROOT, "test/golden/encoder-network.coppice");

/** No page may compile WebAssembly, but a worker that comes with a policy of its own. */
const STRICT = "default-src 'self'; script-src 'self'";
const files = {
  "/": { body: "<!doctype html><title>strict</title>", type: "text/html", policy: STRICT },
  "/compile.js": script(`WebAssembly.compileStreaming(fetch("/decoder.wasm")).then(postMessage)`, "script-src 'self' 'wasm-unsafe-eval'"),
  "/decoder.wasm": { body: readFileSync(path.join(project, "node_modules/coppice/dist/wasm/decoder.wasm")), type: "application/wasm" },
};

describe("under a content-security policy without wasm-unsafe-eval", () => {
  it("init takes a module that was compiled elsewhere", async () => {
    const running = await inChromium("strict page", /./, "global", files).start({ project, entry: "inside/strict.ts", files: { lenet } });
    try {
      await expect(running.call("decode")).rejects.toThrow(/wasm|Content Security Policy/i);
      await running.call("init");
      expect(await running.call("decode")).toBeGreaterThan(0);
    } finally {
      await running.close();
    }
  });
});
