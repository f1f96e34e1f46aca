import { type BenchDocument, machineLines, type ReportedTask, threeDigits } from "./report.js";

// Bar charts as SVG: a group for each task, a bar for each form, all as parts of the fastest one of the group.

interface Bar {
  readonly label: string;
  /** Longer is better: against the longest of the group. */
  readonly length: number;
  readonly color: string;
  readonly text: string;
}

export interface Group {
  readonly title: string;
  readonly bars: readonly Bar[];
}

export const COLORS = { native: "#8a8f98", simd: "#2f9e63", scalar: "#7cc29c", javaScript: "#d6a11e", other: "#b58a3c" } as const;

const FORM_COLORS: Readonly<Record<string, string>> = {
  C: COLORS.native,
  "WASM SIMD": COLORS.simd,
  "WASM scalar": COLORS.scalar,
  JavaScript: COLORS.javaScript,
};

const WIDTH = 900;
const LEFT = 230;
const RIGHT = 220;
const BAR = 15;
const GAP = 3;
const GROUP_GAP = 22;
const TOP = 74;

const escapes: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (char) => escapes[char]);
}

/** Grey text and lines that are read on a light and on a dark page alike; a page that says which it has gets more contrast. */
const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #57606a; }
  .title { font-size: 16px; font-weight: 600; }
  .task { font-weight: 600; }
  .note { font-size: 11px; }
  .axis { stroke: #8a8f98; stroke-opacity: .45; }
  @media (prefers-color-scheme: dark) { text { fill: #b6bdc6; } }`;

function drawn({ bars }: Group, left: number, top: number): { svg: string; height: number } {
  const longest = Math.max(...bars.map(({ length }) => length));
  const room = WIDTH - LEFT - RIGHT;
  const lines = bars.map(({ label, length, color, text }, i) => {
    const y = top + i * (BAR + GAP);
    const width = Math.max(1, (room * length) / longest);
    const base = y + BAR - 3;
    return `<text x="${left + LEFT - 8}" y="${base}" text-anchor="end">${escaped(label)}</text><rect x="${left + LEFT}" y="${y}" width="${width.toFixed(1)}" height="${BAR}" rx="2" fill="${color}"/><text class="note" x="${(left + LEFT + width + 6).toFixed(1)}" y="${base}">${escaped(text)}</text>`;
  });
  return { svg: lines.join("\n"), height: bars.length * (BAR + GAP) };
}

/**
 * Groups of bars, in columns side by side.
 *
 * @param notes two lines below the heading
 */
export function barChart(title: string, heading: string, notes: readonly string[], columns: readonly (readonly Group[])[]): string {
  const parts: string[] = [];
  let bottom = TOP;
  for (const [i, groups] of columns.entries()) {
    const left = i * WIDTH;
    let y = TOP;
    for (const group of groups) {
      parts.push(`<text class="task" x="${left + 16}" y="${y + 4}">${escaped(group.title)}</text>`);
      const { svg, height } = drawn(group, left, y + 12);
      parts.push(`<line class="axis" x1="${left + LEFT}" x2="${left + LEFT}" y1="${y + 9}" y2="${y + 12 + height}"/>`, svg);
      y += 12 + height + GROUP_GAP;
    }
    bottom = Math.max(bottom, y);
  }
  const width = columns.length * WIDTH;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${bottom}" viewBox="0 0 ${width} ${bottom}" role="img">
<title>${escaped(title)}</title>
<style>${STYLE}
</style>
<text class="title" x="16" y="26">${escaped(heading)}</text>
${notes.map((note, i) => `<text class="note" x="16" y="${43 + 14 * i}">${escaped(note)}</text>`).join("\n")}
${parts.join("\n")}
</svg>
`;
}

function groupOf({ task, unit, forms }: ReportedTask): Group {
  const bars = forms.map(({ form, perSecond, gigabytesPerSecond }) => ({
    label: form,
    length: perSecond.minimum,
    color: FORM_COLORS[form] ?? COLORS.other,
    text: `${threeDigits(perSecond.minimum / 1e6)} M ${unit}/s, ${threeDigits(gigabytesPerSecond.minimum)} GB/s`,
  }));
  return { title: task, bars };
}

/** The document as one SVG. */
export function chart({ machine, rounds, tasks }: BenchDocument): string {
  const [processor, runtime, native] = machineLines(machine);
  const heading = `Coppice: one thread, best of ${rounds} rounds, longer is faster`;
  return barChart("Coppice: kernels compared", heading, [`${processor}; ${runtime}`, native], [tasks.map(groupOf)]);
}
