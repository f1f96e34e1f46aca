import { describe, expect, it } from "vitest";
import type { TrainingReport } from "../../src/train/index.js";
import { trainArchive } from "../../src/train/index.js";
import { reportPage } from "../../src/train/page.js";
import { linearTicks, logTicks, plotSvg } from "../../src/train/plot.js";
import { DATA, NET, RECIPE } from "./samples.js";

const { report } = await trainArchive({ net: NET, data: DATA, recipe: RECIPE });
const page = reportPage(report, "net.coppice");

describe("reportPage", () => {
  it("needs no script, and nothing from anywhere", () => {
    expect(page).not.toMatch(/<script|<link|<img|<iframe|@import|url\(|\b(src|href|on\w+)=|https?:/i);
    expect(page).toContain("prefers-color-scheme: dark");
  });

  it("shows loss, error and survivors over the epochs, and the scan, with the stages marked", () => {
    const figures = page.split("<figure>").slice(1);
    expect(figures.map((figure) => /aria-label="(.*?)"/.exec(figure)![1])).toEqual([
      "Loss, nats a sample",
      "Error on the samples held out",
      "Weights that survive: what sparsity leaves",
      "Error on the samples held out, one layer pruned alone (scan)",
    ]);
    for (const figure of figures.slice(0, 3)) {
      for (const name of ["dense", "prune", "share"]) expect(figure).toContain(`<g><title>${name}</title>`);
    }
    for (const epoch of report.stages[2].epochs)
      expect(figures[0]).toContain(`prune, epoch ${epoch.epoch}: in training ${Number(epoch.loss.toPrecision(3))}<`);
  });

  it("lists every stage and every tensor with its numbers", () => {
    const tables = page.split("<table>").slice(1);
    expect(tables).toHaveLength(2);
    for (const { name, after } of report.stages) {
      expect(tables[0]).toMatch(
        new RegExp(`>${name}<.*>${after.survivors}<.*>${(100 * (1 - after.test!)).toFixed(2)} %<.*>${after.bytes.toLocaleString("en")}<`),
      );
    }
    for (const { name, bytes, codebook } of report.tensors)
      expect(tables[1]).toMatch(new RegExp(`>${name}<.*>${codebook || "-"}<.*>${bytes}<`));
  });

  it("is well formed: what is opened is closed", () => {
    const open: string[] = [];
    for (const [, close, name, rest] of page.matchAll(/<(\/?)([a-z0-9]+)([^>]*)>/g)) {
      if (rest.endsWith("/") || name === "meta") continue;
      if (close === "") open.push(name);
      else expect(open.pop()).toBe(name);
    }
    expect(open).toEqual([]);
    expect(page).not.toMatch(/NaN|undefined|Infinity/);
  });

  it("takes names for what they are", () => {
    const evil = "</title><script>\"&'";
    const named: TrainingReport = {
      ...report,
      stages: report.stages.map((stage) => ({ ...stage, name: evil })),
      tensors: report.tensors.map((tensor) => ({ ...tensor, name: evil })),
    };
    expect(reportPage(named, evil)).not.toContain("<script>");
  });

  it("does without epochs, and without a test set", async () => {
    const recipe = { stages: [{ type: "train", epochs: 0 }] } as const;
    const bare = await trainArchive({ net: NET, data: { train: DATA.train }, recipe });
    const shown = reportPage(bare.report, "net.coppice");
    expect(shown).not.toContain("<figure>");
    expect(shown).not.toMatch(/test|NaN|undefined/);
  });
});

describe("ticks", () => {
  it("are round, few, and go from the least to the most", () => {
    expect(linearTicks(0, 1)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(linearTicks(1.2, 3.1)).toEqual([1, 1.5, 2, 2.5, 3, 3.5]);
    expect(linearTicks(5, 5)).toEqual([5, 6]);
    expect(linearTicks(0, 0)).toEqual([0, 0.2]);
    expect(logTicks(0.03, 0.4)).toEqual([0.02, 0.05, 0.1, 0.2, 0.5]);
    expect(logTicks(1e-5, 20)).toEqual([1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10, 100]);
    expect(logTicks(1, 1)).toEqual([1, 2]);
  });

  it("hold any values", () => {
    for (const [least, most] of [
      [0.0003, 0.9],
      [7, 7],
      [1e-12, 3e-12],
      [3, 4e9],
    ]) {
      for (const ticks of [linearTicks(least, most), logTicks(least, most)]) {
        expect(ticks[0]).toBeLessThanOrEqual(least);
        expect(ticks[ticks.length - 1]).toBeGreaterThanOrEqual(most);
        expect(ticks.length).toBeGreaterThan(1);
        expect(ticks.length).toBeLessThan(14);
      }
    }
  });
});

describe("plotSvg", () => {
  it("puts values in their places", () => {
    const svg = plotSvg({
      title: "t",
      across: "x",
      lines: [{ name: "a", points: [0, 5, 10].map((x) => ({ x, y: 10 * x, label: `${x}` })) }],
      formatY: String,
    });
    const places = [...svg.matchAll(/<circle[^>]* cx="([\d.]+)" cy="([\d.]+)"/g)].map(([, x, y]) => [Number(x), Number(y)]);
    const [first, middle, last] = places;
    expect(middle[0]).toBeCloseTo((first[0] + last[0]) / 2, 0);
    expect(middle[1]).toBeCloseTo((first[1] + last[1]) / 2, 0);
    expect(last[0]).toBeGreaterThan(first[0]);
    expect(last[1]).toBeLessThan(first[1]);
  });

  it("has a label at either end of what is measured across, with room for it", () => {
    const shares = [0, 20, 50, 95];
    const svg = plotSvg({
      title: "t",
      across: "x",
      lines: [{ name: "a", points: shares.map((x) => ({ x, y: x, label: `${x}` })) }],
      formatX: (value) => `${value} %`,
      formatY: String,
    });
    const [, width] = /viewBox="0 0 (\d+) /.exec(svg)!;
    const labels = [...svg.matchAll(/x="([\d.]+)"[^>]*>(\d+) %</g)].map(([, x, share]) => ({ x: Number(x), share: Number(share) }));
    expect(labels.map(({ share }) => share)).toEqual([0, 20, 40, 60, 80, 100]);
    const [zero, full] = [labels[0].x, labels[5].x];
    expect(full + 20).toBeLessThanOrEqual(Number(width));
    const places = [...svg.matchAll(/<circle[^>]* cx="([\d.]+)"/g)].map(([, x]) => Number(x));
    for (const [i, x] of places.entries()) expect(x).toBeCloseTo(zero + (shares[i] / 100) * (full - zero), 0);
  });

  it("is nothing where there is nothing to show", () => {
    expect(plotSvg({ title: "t", across: "x", lines: [], formatY: String })).toBe("");
  });
});
