import { rm } from "node:fs/promises";
import path from "node:path";
import type { TestProject } from "vitest/node";
import { bundle } from "../scripts/bundle.mjs";
import { freshWasm, ROOT } from "../scripts/wasm.mjs";

declare module "vitest" {
  interface ProvidedContext {
    /** The folder of the bundles, as `npm run build` makes them in dist/, of the sources as they are now. */
    bundles: string;
  }
}

export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  await freshWasm();
  const folder = `build/bundles.${process.pid}`;
  await bundle(folder);
  provide("bundles", path.join(ROOT, folder));
  return () => rm(path.join(ROOT, folder), { recursive: true, force: true });
}
