import { exactCount } from "../../src/cli/text.js";
import { element, make } from "./dom.js";
import type { Look } from "./look.js";

// How the weights of a tensor lie, with the centroids that they share drawn in.

const HEIGHT = 240;
const MARGIN = { top: 10, side: 14, bottom: 26 };
const TICKS = 5;

/** With more centroids, their heads would hide each other. */
const MOST_HEADS = 64;

function svg(tag: string, attributes: Readonly<Record<string, string | number>>, ...children: readonly (Node | string)[]): SVGElement {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.append(...children);
  return made;
}

/** Round numbers within a range. */
export function ticksOf(low: number, high: number): number[] {
  if (!(high > low)) return [low];
  const rough = (high - low) / TICKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
  const count = Math.floor(high / step) - Math.ceil(low / step) + 1;
  return Array.from({ length: count }, (_, i) => Number(((Math.ceil(low / step) + i) * step).toPrecision(6)));
}

/** The outline of a histogram over the width that is there. */
function outline(counts: Uint32Array, left: number, width: number, base: number, height: number): string {
  const most = counts.reduce((max, count) => Math.max(max, count), 1);
  const steps = Array.from(counts, (count, i) => {
    const y = (base - (height * count) / most).toFixed(1);
    return `V${y}H${(left + (width * (i + 1)) / counts.length).toFixed(1)}`;
  });
  return `M${left} ${base}${steps.join("")}V${base}Z`;
}

export function drawHistogram(name: string, look: Look): void {
  const box = element("histogram");
  const { before, after, centroids, range } = look;
  const room = Math.max(240, box.clientWidth - 16);
  const [left, width] = [MARGIN.side, room - 2 * MARGIN.side];
  const base = HEIGHT - MARGIN.bottom;
  const height = base - MARGIN.top;
  const { low, high } = range;
  const x = (value: number): number => left + (high > low ? (width * (value - low)) / (high - low) : width / 2);

  const parts: SVGElement[] = [];
  if (before) parts.push(svg("path", { class: "before", d: outline(before, left, width, base, height) }));
  if (after) parts.push(svg("path", { class: "after", d: outline(after, left, width, base, height) }));
  if (centroids) {
    const { values, counts } = centroids;
    const most = counts.reduce((max, count) => Math.max(max, count), 1);
    for (const [i, value] of values.entries()) {
      if (value === 0) continue;
      const at = x(value).toFixed(1);
      const top = (base - (height * counts[i]) / most).toFixed(1);
      const title = svg("title", {}, `${value.toPrecision(4)}: ${exactCount(counts[i])} weights`);
      const stem = svg("line", {
        class: "centroid",
        x1: at,
        x2: at,
        y1: base,
        y2: top,
        "stroke-width": values.length > MOST_HEADS ? 1 : 2,
      });
      const head = values.length > MOST_HEADS ? [] : [svg("circle", { class: "head", cx: at, cy: top, r: 3 })];
      parts.push(svg("g", {}, title, stem, ...head));
    }
  }
  parts.push(svg("line", { class: "axis", x1: left, x2: left + width, y1: base, y2: base }));
  for (const tick of ticksOf(low, high)) {
    parts.push(svg("line", { class: "axis", x1: x(tick), x2: x(tick), y1: base, y2: base + 4 }));
    parts.push(svg("text", { x: x(tick), y: base + 18, "text-anchor": "middle" }, String(tick).replace("-", "−")));
  }
  const label = `Histogram of the weights of ${name}, from ${low.toPrecision(3)} to ${high.toPrecision(3)}`;
  box.replaceChildren(svg("svg", { viewBox: `0 0 ${room} ${HEIGHT}`, role: "img", "aria-label": label }, ...parts));

  const keys: HTMLElement[] = [];
  if (before) keys.push(make("span", "key", "weights as they were"));
  if (after) keys.push(make("span", "key ours", "weights as they are: exact, nothing shared"));
  if (centroids) {
    const used = centroids.values.filter((value) => value !== 0).length;
    keys.push(make("span", "key ours", `${used} centroids, as tall as many weights share each`));
  }
  element("histogram-text").replaceChildren(...keys);
}
