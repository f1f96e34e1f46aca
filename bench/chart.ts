import { type BenchDocument, machineLines, type ReportedTask, threeDigits } from "./report.js";

// One bar chart as SVG: a group for each task, a bar for each form, all as parts of the fastest one of the group.

const COLORS: Readonly<Record<string, string>> = {
  C: "#8a8f98",
  "WASM SIMD": "#2f9e63",
  "WASM scalar": "#7cc29c",
  JavaScript: "#d6a11e",
};
const OTHER_COLOR = "#b58a3c";

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

function bars(task: ReportedTask, top: number): { svg: string; height: number } {
  const fastest = Math.max(...task.forms.map(({ perSecond }) => perSecond.minimum));
  const room = WIDTH - LEFT - RIGHT;
  const lines = task.forms.map(({ form, perSecond, gigabytesPerSecond }, i) => {
    const y = top + i * (BAR + GAP);
    const width = Math.max(1, (room * perSecond.minimum) / fastest);
    const base = y + BAR - 3;
    const rate = `${threeDigits(perSecond.minimum / 1e6)} M ${task.unit}/s, ${threeDigits(gigabytesPerSecond.minimum)} GB/s`;
    return `<text x="${LEFT - 8}" y="${base}" text-anchor="end">${escaped(form)}</text><rect x="${LEFT}" y="${y}" width="${width.toFixed(1)}" height="${BAR}" rx="2" fill="${COLORS[form] ?? OTHER_COLOR}"/><text class="note" x="${(LEFT + width + 6).toFixed(1)}" y="${base}">${escaped(rate)}</text>`;
  });
  return { svg: lines.join("\n"), height: task.forms.length * (BAR + GAP) };
}

/** The document as one SVG. */
export function chart({ machine, rounds, tasks }: BenchDocument): string {
  const parts: string[] = [];
  let y = TOP;
  for (const task of tasks) {
    parts.push(`<text class="task" x="16" y="${y + 4}">${escaped(task.task)}</text>`);
    const group = bars(task, y + 12);
    parts.push(`<line class="axis" x1="${LEFT}" x2="${LEFT}" y1="${y + 9}" y2="${y + 12 + group.height}"/>`, group.svg);
    y += 12 + group.height + GROUP_GAP;
  }
  const [processor, runtime, native] = machineLines(machine);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y}" viewBox="0 0 ${WIDTH} ${y}" role="img">
<title>Coppice: kernels compared</title>
<style>${STYLE}
</style>
<text class="title" x="16" y="26">Coppice: one thread, best of ${rounds} rounds, longer is faster</text>
<text class="note" x="16" y="43">${escaped(`${processor}; ${runtime}`)}</text>
<text class="note" x="16" y="57">${escaped(native)}</text>
${parts.join("\n")}
</svg>
`;
}
