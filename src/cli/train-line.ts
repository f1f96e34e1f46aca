import type { TrainingProgress } from "../train/index.js";
import { barOf } from "./progress.js";
import { widthOf } from "./streams.js";
import { accuracy, duration, printable, shortName } from "./text.js";

const NAME_WIDTH = 24;

/** A step takes milliseconds; the eye, and a slow terminal, need not see each. */
const REDRAW_MS = 100;

/** A training under way, in a line of at most `width` characters. */
export function trainLine(progress: TrainingProgress, width: number): string {
  const { name, stage, stages, epoch, epochs, done, loss, heldOut, secondsLeft } = progress;
  const parts = [
    `${barOf(done)}  ${shortName(printable(name), NAME_WIDTH)} (${stage} of ${stages})  epoch ${epoch} of ${epochs}  loss ${loss.toFixed(4)}`,
    ...(heldOut === undefined ? [] : [`held out ${accuracy(heldOut)}`]),
    ...(secondsLeft === undefined ? [] : [`${duration(secondsLeft)} left`]),
  ];
  return Array.from(parts.join("  ")).slice(0, width).join("");
}

/** That line on standard error, which must be a terminal with a cursor. */
export function progressLine(): { readonly update: (progress: TrainingProgress) => void; stop(): void } {
  let drawn = Number.NEGATIVE_INFINITY;
  const draw = (line: string): void => void process.stderr.write(`\r\x1b[K${line}`);
  return {
    update(progress) {
      if (performance.now() - drawn < REDRAW_MS) return;
      draw(trainLine(progress, widthOf(process.stderr) - 1));
      drawn = performance.now();
    },
    stop() {
      if (drawn > 0) draw("");
    },
  };
}
