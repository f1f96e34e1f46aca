import { expect, it } from "vitest";
import { REPORT_COLUMNS, reportRow, totalRow } from "../../src/cli/report-rows.js";
import { compress, type Recipe } from "../../src/index.js";
import { normalTensor } from "./cli.js";

const AT = REPORT_COLUMNS.findIndex(({ title }) => title === "codes\ncoded");

const rule = { prune: { sparsity: 0.9 }, share: { bits: 4 } } as const;
const RECIPES: readonly [coding: string, Recipe][] = [
  ["sparse", { contexts: "none", rules: [rule] }],
  ["dense", { contexts: "none", rules: [{ share: rule.share }] }],
  ["context", { contexts: "all", rules: [rule] }],
  ["bytes", { rules: [] }],
];

/** Survivors stand together, so that neighbours tell of each other. */
const tensor = normalTensor("fc.weight", [40, 72]);
const values = new Float32Array(tensor.data.buffer);
for (let i = 0; i < values.length; i++) if (i % 72 > 8) values[i] /= 1000;

it.each(RECIPES)("the bits of coded codes are of codes alone: in a %s record", async (coding, recipe) => {
  const { report } = await compress([tensor], { recipe });
  const [found] = report.tensors;
  expect(found.coding).toBe(coding);
  expect(found.codeBitsHuffman).toBeGreaterThan(1);
  const shown = coding === "sparse" || coding === "dense" ? found.codeBitsHuffman.toFixed(2) : "-";
  expect([reportRow(found)[AT], totalRow(report)[AT]]).toEqual([shown, shown]);
});
