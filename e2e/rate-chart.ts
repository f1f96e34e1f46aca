/** How one network does for one objective: archives from the largest to the smallest. Accuracies are percentages. */
export interface Curve {
  readonly network: string;
  readonly objective: string;
  readonly original: number;
  readonly points: readonly { readonly label: string; readonly bytes: number; readonly ratio: number; readonly accuracy: number }[];
}

const COLORS: Readonly<Record<string, string>> = { rate: "#2f9e63", distortion: "#d6a11e" };
const WIDTH = 450;
const HEIGHT = 330;
const LEFT = 52;
const TOP = 52;
const RIGHT = 16;
const BOTTOM = 44;

const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #57606a; }
  .title { font-size: 15px; font-weight: 600; }
  .axis { stroke: #8a8f98; stroke-opacity: .45; }
  .allowed { stroke: #8a8f98; stroke-dasharray: 4 3; }
  .curve { fill: none; stroke-width: 2; }
  @media (prefers-color-scheme: dark) { text { fill: #b6bdc6; } }`;

/** Whole numbers, or `step`s, from just below the least to just above the largest. */
function range(values: readonly number[], step: number): { from: number; to: number; ticks: number[] } {
  const from = Math.floor(Math.min(...values) / step) * step;
  const to = Math.ceil(Math.max(...values) / step) * step;
  return { from, to, ticks: Array.from({ length: Math.round((to - from) / step) + 1 }, (_, i) => from + i * step) };
}

function panel(network: string, curves: readonly Curve[], allowed: number): string {
  const points = curves.flatMap((curve) => curve.points);
  const original = curves[0].original;
  const x = range(
    points.map(({ ratio }) => ratio),
    1,
  );
  const y = range([...points.map(({ accuracy }) => accuracy), original], 1);
  const atX = (ratio: number): string => (LEFT + ((WIDTH - LEFT - RIGHT) * (ratio - x.from)) / (x.to - x.from)).toFixed(1);
  const atY = (accuracy: number): string =>
    (HEIGHT - BOTTOM - ((HEIGHT - TOP - BOTTOM) * (accuracy - y.from)) / (y.to - y.from)).toFixed(1);
  const across = (accuracy: number, style: string): string =>
    `<line class="${style}" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${atY(accuracy)}" y2="${atY(accuracy)}"/>`;
  return [
    `<text class="title" x="${LEFT}" y="22">${network}</text>`,
    ...y.ticks.map(
      (tick) => `${across(tick, "axis")}<text x="${LEFT - 8}" y="${Number(atY(tick)) + 4}" text-anchor="end">${tick} %</text>`,
    ),
    ...x.ticks.map((tick) => `<text x="${atX(tick)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${tick}x</text>`),
    across(original - allowed, "allowed"),
    `<text x="${WIDTH - RIGHT}" y="${HEIGHT - 8}" text-anchor="end">bytes of the model over bytes of the archive</text>`,
    ...curves.map(({ objective, points }, i) => {
      const path = points.map(({ ratio, accuracy }) => `${atX(ratio)},${atY(accuracy)}`).join(" ");
      const dots = points.map(
        ({ label, ratio, accuracy }) =>
          `<circle cx="${atX(ratio)}" cy="${atY(accuracy)}" r="3" fill="${COLORS[objective]}"><title>${label}: ${ratio.toFixed(2)}x, ${accuracy.toFixed(1)} %</title></circle>`,
      );
      const key = `<circle cx="${LEFT + 150 + 110 * i}" cy="18" r="4" fill="${COLORS[objective]}"/><text x="${LEFT + 160 + 110 * i}" y="22">${objective}</text>`;
      return `${key}<polyline class="curve" stroke="${COLORS[objective]}" points="${path}"/>${dots.join("")}`;
    }),
  ].join("\n");
}

/** Accuracy against ratio, a panel for each network; dashed, what may be lost: `allowed` points. */
export function rateChart(curves: readonly Curve[], allowed: number): string {
  const networks = [...new Set(curves.map(({ network }) => network))];
  const width = networks.length * WIDTH;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${HEIGHT}" viewBox="0 0 ${width} ${HEIGHT}" role="img">
<title>Accuracy against ratio for both objectives of sharing</title>
<style>${STYLE}
</style>
${networks
  .map(
    (network, i) =>
      `<g transform="translate(${i * WIDTH})">\n${panel(
        network,
        curves.filter((curve) => curve.network === network),
        allowed,
      )}\n</g>`,
  )
  .join("\n")}
</svg>
`;
}
