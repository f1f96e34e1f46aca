import { readFile } from "node:fs/promises";
import type { ViteUserConfig } from "vitest/config";
import { TEXT_WASM, textScript } from "./scripts/bundling.mjs";
import { SkippedReporter } from "./test/skipped.js";

/** As the bundles have it: an import of some modules gives a string, of others their bytes. */
const wasmBytes = {
  name: "wasm-bytes",
  enforce: "pre",
  async load(id: string) {
    if (!id.endsWith(".wasm")) return null;
    if (TEXT_WASM.test(id)) return textScript(id);
    const base64 = (await readFile(id)).toString("base64");
    return `export default Uint8Array.from(atob("${base64}"), (byte) => byte.charCodeAt(0));`;
  },
} as const;

const config: ViteUserConfig = {
  plugins: [wasmBytes],
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/setup.ts"],
    reporters: ["default", new SkippedReporter()],
    testTimeout: 30_000,
    coverage: { provider: "v8", include: ["src/**/*.ts"] },
  },
};

export default config;
