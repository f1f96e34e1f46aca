// Lines over epochs as SVG, which takes its colours from the style sheet of the page that it stands in.

/** A point of a line. */
export interface Point {
  readonly x: number;
  readonly y: number;
  /** What it says where the pointer rests on it. */
  readonly label: string;
}

export interface Line {
  readonly name: string;
  readonly points: readonly Point[];
}

/** A stretch of the horizontal axis that has a name. */
export interface Band {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

export interface Plot {
  /** What the vertical axis shows, with its unit. */
  readonly title: string;
  readonly lines: readonly Line[];
  readonly bands?: readonly Band[];
  /** What the horizontal axis shows. */
  readonly across: string;
  /** Steps of the vertical axis multiply; only where all values are above 0. */
  readonly log?: boolean;
  /** Of a tick of each axis. */
  readonly formatX?: (value: number) => string;
  readonly formatY: (value: number) => string;
}

const WIDTH = 760;
const HEIGHT = 230;
const LEFT = 62;
/** Half of the widest label of a tick, which may stand at the very end. */
const RIGHT = 20;
const TOP = 40;
const BOTTOM = 38;
const TICKS = 5;
/** Lines have as many colours in the style sheet. */
export const LINE_COLOURS = 6;
/** A name is told under the pointer alone where its band has no room for it; wide letters take so much. */
const LETTER_WIDTH = 7;
const DOT_UP_TO = 80;

/** Text as HTML and SVG take it. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

const shown = (value: number): string => String(Math.round(10 * value) / 10);

/** 1, 2 or 5 times a power of ten: the least of them that is at least `size`. */
function roundStep(size: number): number {
  const power = 10 ** Math.floor(Math.log10(size));
  return power * ([1, 2, 5].find((step) => step * power >= size * 0.999) ?? 10);
}

/** Round numbers from the first at or below `least` to the first at or above `most`. */
export function linearTicks(least: number, most: number): number[] {
  const step = roundStep((most - least || Math.abs(most) || 1) / TICKS);
  const first = Math.floor(least / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(most / step - 1e-9));
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** 1, 2 and 5 times powers of ten, or the powers alone where those are many. */
export function logTicks(least: number, most: number): number[] {
  const powers = [Math.floor(Math.log10(least)), Math.ceil(Math.log10(most))];
  const steps = powers[1] - powers[0] > 3 ? [1] : [1, 2, 5];
  const all: number[] = [];
  for (let power = powers[0]; power <= powers[1]; power++) for (const step of steps) all.push(Number((step * 10 ** power).toPrecision(12)));
  const below = all.filter((tick) => tick <= least).pop() ?? all[0];
  const above = all.find((tick) => tick >= most && tick > below) ?? all[all.length - 1];
  return all.filter((tick) => tick >= below && tick <= above);
}

/** Whole numbers of an axis that counts. */
function countTicks(least: number, most: number): number[] {
  return linearTicks(least, most).filter((tick) => Number.isInteger(tick) && tick >= least && tick <= most);
}

/** A plot, or nothing where there is no point to show. */
export function plotSvg({ title, lines, bands = [], across, log = false, formatX, formatY }: Plot): string {
  const points = lines.flatMap((line) => line.points);
  if (points.length === 0) return "";
  const ys = points.map(({ y }) => y);
  const xs = [...points.map(({ x }) => x), ...bands.flatMap(({ from, to }) => [from, to])];
  const [least, most] = [Math.min(...ys), Math.max(...ys)];
  const byPowers = log && least > 0;
  const ticks = byPowers ? logTicks(least, most) : linearTicks(least, most);
  const [low, high] = [ticks[0], ticks[ticks.length - 1]];
  const [first, last] = [Math.min(...xs), Math.max(...xs)];
  const xTicks = formatX ? linearTicks(first, last) : countTicks(first, last);
  // What is measured goes from a tick to a tick; what is counted ends with the last that was counted.
  const [start, end] = formatX ? [xTicks[0], xTicks[xTicks.length - 1]] : [first, last];
  const scaled = byPowers ? Math.log : (value: number): number => value;
  const atX = (x: number): number => LEFT + ((x - start) / (end - start || 1)) * (WIDTH - LEFT - RIGHT);
  const atY = (y: number): number => HEIGHT - BOTTOM - ((scaled(y) - scaled(low)) / (scaled(high) - scaled(low))) * (HEIGHT - TOP - BOTTOM);
  const parts = [
    ...bands.map((band, i) => bandSvg(band, i, atX)),
    ...ticks.map((tick) => {
      const y = shown(atY(tick));
      return `<path class="grid" d="M${LEFT} ${y}H${WIDTH - RIGHT}"/><text class="tick" x="${LEFT - 8}" y="${y}" dy="0.32em" text-anchor="end">${escaped(formatY(tick))}</text>`;
    }),
    ...xTicks.map(
      (tick) =>
        `<text class="tick" x="${shown(atX(tick))}" y="${HEIGHT - BOTTOM + 16}" text-anchor="middle">${escaped(formatX?.(tick) ?? String(tick))}</text>`,
    ),
    `<text class="tick" x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 5}" text-anchor="middle">${escaped(across)}</text>`,
    `<text class="title" x="0" y="13">${escaped(title)}</text>`,
    ...lines.map((line, i) => lineSvg(line, i % LINE_COLOURS, atX, atY)),
  ];
  const legend = lines.length > 1 ? `<p class="legend">${lines.map(({ name }, i) => legendItem(name, i)).join(" ")}</p>` : "";
  return `<figure><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(title)}">${parts.join("")}</svg>${legend}</figure>`;
}

const legendItem = (name: string, i: number): string => `<span class="key line-${i % LINE_COLOURS}">${escaped(name)}</span>`;

function bandSvg({ name, from, to }: Band, index: number, atX: (x: number) => number): string {
  const [x, width] = [atX(from), atX(to) - atX(from)];
  const room = Math.floor(width / LETTER_WIDTH);
  const text = name.length <= room ? name : room >= 4 ? `${name.slice(0, room - 1)}…` : "";
  return `<g><title>${escaped(name)}</title><rect class="band-${index % 2}" x="${shown(x)}" y="${TOP - 16}" width="${shown(width)}" height="${HEIGHT - TOP - BOTTOM + 16}"/><text class="band" x="${shown(x + width / 2)}" y="${TOP - 4}" text-anchor="middle">${escaped(text)}</text></g>`;
}

function lineSvg({ points }: Line, colour: number, atX: (x: number) => number, atY: (y: number) => number): string {
  const places = points.map(({ x, y, label }) => ({ x: shown(atX(x)), y: shown(atY(y)), label }));
  const path = `<path class="line line-${colour}" d="M${places.map(({ x, y }) => `${x} ${y}`).join("L")}"/>`;
  // A circle for each point says its numbers; where they are many, an invisible one.
  const dots = places.map(
    ({ x, y, label }) =>
      `<circle class="${points.length <= DOT_UP_TO ? `dot line-${colour}` : "spot"}" cx="${x}" cy="${y}" r="${points.length <= DOT_UP_TO ? 2.5 : 4}"><title>${escaped(label)}</title></circle>`,
  );
  return `${path}${dots.join("")}`;
}
