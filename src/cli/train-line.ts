import type { ResumePoint, StageReport, TrainingProgress } from "../train/index.js";
import { barOf } from "./progress.js";
import { widthOf } from "./streams.js";
import { duration, errorOf, exactCount, printable, shortName } from "./text.js";

const NAME_WIDTH = 24;

/** A step takes milliseconds; the eye, and a slow terminal, need not see each. */
const REDRAW_MS = 100;

/** A training under way, its error on what is held out, in a line of at most `width` characters. */
export function trainLine(progress: TrainingProgress, width: number): string {
  const { name, stage, stages, epoch, epochs, done, loss, heldOut, secondsLeft } = progress;
  const parts = [
    `${barOf(done)}  ${shortName(printable(name), NAME_WIDTH)} (${stage} of ${stages})  epoch ${epoch} of ${epochs}  loss ${loss.toFixed(4)}`,
    ...(heldOut === undefined ? [] : [`error ${errorOf(heldOut)}`]),
    ...(secondsLeft === undefined ? [] : [`${duration(secondsLeft)} left`]),
  ];
  return Array.from(parts.join("  ")).slice(0, width).join("");
}

/** A stage that is done, in a line for those who have no terminal. */
export function stageLine({ name, epochs, after, seconds }: StageReport, stage: number, stages: number): string {
  const trained = epochs.length > 0 ? `epochs ${epochs.length}, loss ${epochs[epochs.length - 1].loss.toFixed(4)}, ` : "";
  const archive = `${exactCount(after.survivors)} survivors, ${exactCount(after.bytes)} bytes`;
  return `${printable(name)} (${stage} of ${stages}) done: ${trained}error held out ${errorOf(after.heldOut)}, ${archive}, in ${duration(seconds)}`;
}

/** From where a training goes on, in a line. */
export function resumeLine({ stagesDone, stages, name, epochsDone, epochs }: ResumePoint): string {
  if (name === undefined) return `going on from the checkpoint, with all ${stages} stages done`;
  const epoch = epochs > 0 ? `epoch ${epochsDone + 1} of ${epochs} of ` : "";
  return `going on from the checkpoint, with ${epoch}${printable(name)} (${stagesDone + 1} of ${stages})`;
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
