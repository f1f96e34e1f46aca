import { exactCount, percent } from "../../src/cli/text.js";
import { color, element } from "./dom.js";
import type { Look } from "./look.js";

// Where the survivors of a tensor are, and what they are.

/** Height that a pattern takes on the page at most. */
const MOST_PIXELS = 300;

/** Cells across that half of the page has no room for. */
const WIDE = 440;

/** A colour as canvas pixels have it. */
function rgb(name: string): [number, number, number] {
  const [r, g, b] = [1, 3, 5].map((at) => Number.parseInt(color(name).slice(at, at + 2), 16));
  return [r, g, b];
}

export function drawPattern(name: string, { pattern, weights, survivors }: Look, values: boolean): void {
  const { rows, columns, width, height, density, mean } = pattern;
  const canvas = element<HTMLCanvasElement>("pattern");
  canvas.width = width;
  canvas.height = height;
  element("figures").classList.toggle("stacked", width > WIDE);
  canvas.style.maxWidth = `${Math.round((MOST_PIXELS * width) / height)}px`;
  // Where a pixel of the page has several cells they are mixed, and none is left out; where a cell has several pixels its edges stay sharp.
  canvas.style.imageRendering = canvas.clientWidth * devicePixelRatio < width ? "auto" : "pixelated";
  const context = canvas.getContext("2d")!;
  const image = context.createImageData(width, height);
  const [ink, positive, negative] = [rgb("ink"), rgb("green"), rgb("amber")];
  for (let i = 0; i < density.length; i++) {
    const shade = values ? (mean[i] < 0 ? negative : positive) : ink;
    // By the root: thin patterns stay visible, and the eye sees steps of light that way.
    const value = mean[i] === 0 ? 0 : 0.2 + 0.8 * Math.sqrt(Math.abs(mean[i]) / 127);
    const alpha = values ? value : Math.sqrt(density[i] / 255);
    image.data.set([...shade, Math.round(255 * alpha)], 4 * i);
  }
  context.putImageData(image, 0, 0);
  const each = width === columns && height === rows ? "a cell for each weight" : "several weights in a cell";
  const text = `${exactCount(survivors)} of ${exactCount(weights)} weights survive (${percent(survivors / weights)}); ${rows} × ${columns}, ${each}`;
  canvas.setAttribute("aria-label", `${values ? "Values" : "Survivors"} of ${name}: ${text}`);
  element("pattern-text").textContent = text;
}
