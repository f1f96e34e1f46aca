import { barChart, COLORS, type Group } from "../chart.js";
import { machineLines, threeDigits } from "../report.js";
import type { LayerResult, RunDocument } from "./document.js";

/** By the first words of their names. */
const FORM_COLORS: readonly (readonly [string, string])[] = [
  ["WASM SIMD", COLORS.simd],
  ["WASM x2", COLORS.simd],
  ["WASM scalar", COLORS.scalar],
  ["JS", COLORS.javaScript],
  ["C ", COLORS.native],
];

const PAPER_COLOR = "#a3b3c9";

const colorOf = (name: string): string => FORM_COLORS.find(([start]) => name.startsWith(start))?.[1] ?? COLORS.other;

function groupOf({ layer, batches }: LayerResult, batch: number, paper: RunDocument["paper"]): Group {
  const forms = batches.find((each) => each.batch === batch)?.forms ?? [];
  const measured = forms.map(({ form, median }) => ({ label: form, median, color: colorOf(form) }));
  const published = paper
    .filter((row) => row.batch === batch)
    .map(({ name, times }) => ({ label: `${name} (2016)`, median: times[layer.name], color: PAPER_COLOR }));
  // A graphics card's bar would leave the others no room.
  const least = Math.min(...measured.map(({ median }) => median));
  return {
    title: `${layer.name}, batch ${batch}: ${layer.inputs} to ${layer.outputs}, ${100 * layer.density} % of weights`,
    bars: [...measured, ...published].map(({ label, median, color }) => ({
      label,
      length: 1 / Math.max(median, least),
      color,
      text: `${threeDigits(median)} us${median < least ? ", a longer bar than fits" : ""}`,
    })),
  };
}

/** The document as one SVG: a column for each batch size, a group for each layer. */
export function runChart({ machine, rounds, layers, ratios, paper }: RunDocument): string {
  const [processor, runtime, native] = machineLines(machine);
  return barChart(
    "Coppice: layers run",
    `Coppice: microseconds a sample, medians of ${rounds} rounds, longer is faster; beside them what EIE's authors measured`,
    [`${processor}; ${runtime}`, native],
    ratios.map(({ batch }) => layers.map((result) => groupOf(result, batch, paper))),
  );
}
