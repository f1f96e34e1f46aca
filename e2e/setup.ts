import { rm } from "node:fs/promises";
import type { TestProject } from "vitest/node";
import { makeProject } from "./project.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** A folder as a user's project is, with the packed package in node_modules. */
    project: string;
  }
}

export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const folder = await makeProject();
  provide("project", folder);
  return () => rm(folder, { recursive: true, force: true });
}
