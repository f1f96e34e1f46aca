import path from "node:path";
import { beforeAll, describe, expect, inject, it } from "vitest";
import { FILES, REFUSALS, TENSORS, writeGoldens } from "./goldens.ts";
import type { Conformance, Found, Wanted } from "./inside/found.ts";
import { RUNTIMES } from "./runtimes/index.ts";

const project = inject("project");
const goldens = path.join(project, "goldens.mjs");

/** Archives that the golden files know by their file alone: of their tensors, every way must give what the first gave in the first runtime. */
const unknown = Object.keys(TENSORS).filter((name) => TENSORS[name].length === 0);
let known: Readonly<Record<string, readonly Found[]>> | undefined;

const count = (results: Record<string, object>): number =>
  Object.values(results).reduce((sum, of) => sum + Object.values(of).flat().length, 0);

describe("the golden archives", () => {
  beforeAll(() => writeGoldens(goldens));

  it.for(RUNTIMES)("are the same in $name", async ({ start, says }, { annotate }) => {
    const running = await start({ project, entry: "inside/conformance.ts", files: { goldens } });
    try {
      const about = await running.call("about");
      expect(about).toMatch(says);
      const wanted: Wanted = { files: Object.keys(FILES) };
      const { tensors, refusals, files } = (await running.call("conformance", wanted)) as Conformance;
      const [first] = Object.values(tensors);
      known ??= { ...TENSORS, ...Object.fromEntries(unknown.map((name) => [name, first[name]])) };
      for (const [title, found] of Object.entries(tensors)) expect(found, title).toEqual(known);
      for (const [title, found] of Object.entries(refusals)) expect(found, title).toEqual(REFUSALS);
      for (const [title, found] of Object.entries(files)) expect(found, title).toEqual(FILES);
      await annotate(`${about}: ${count(tensors)} tensors, ${count(files)} files, ${count(refusals)} refusals`);
    } finally {
      await running.close();
    }
  });
});
