import { SingleBar } from "cli-progress";
import type { Progress } from "../index.js";
import { widthOf } from "./streams.js";
import { exactCount, printable, shortName } from "./text.js";

const BAR_WIDTH = 30;
const NAME_WIDTH = 30;
const MB = 1e6;

/** A bar and its number: full at 100 %, and not before. */
export function barOf(part: number): string {
  const done = Math.floor(part * BAR_WIDTH);
  return `${"█".repeat(done)}${"░".repeat(BAR_WIDTH - done)} ${Math.floor(100 * part)}%`;
}

export interface ProgressBar {
  /** Stands by itself, as an `onProgress`. */
  readonly update: (progress: Progress) => void;
  /** The same of samples. */
  readonly count: (done: number, total: number) => void;
  /** Takes the bar away. */
  stop(): void;
}

/** A bar on standard error, which must be a terminal with a cursor. It shows once there is progress: what fails before any work leaves no trace of it. */
export function progressBar(): ProgressBar {
  let amount = (_done: number, _total: number): string => "";
  let behind = "";
  const bar = new SingleBar({
    stream: process.stderr,
    clearOnComplete: true,
    hideCursor: true,
    format: ({ etaBuffer: _ }, { value, total, eta }) => {
      const part = total > 0 ? value / total : 1;
      const left = Number.isFinite(eta) && eta > 0 && value > 0 ? `  ${eta} s left` : "";
      const line = `${barOf(part)}  ${amount(value, total)}${left}${behind}`;
      return Array.from(line)
        .slice(0, widthOf(process.stderr) - 1)
        .join("");
    },
  });
  const show = (done: number, total: number): void => {
    if (!bar.isActive) bar.start(total, done);
    if (bar.getTotal() !== total) bar.setTotal(total);
    bar.update(done);
  };
  return {
    update({ tensor, doneBytes, totalBytes }) {
      amount = (done, total) => `${(done / MB).toFixed(1)} of ${(total / MB).toFixed(1)} MB`;
      behind = `  ${shortName(printable(tensor), NAME_WIDTH)}`;
      show(doneBytes, totalBytes);
    },
    count(done, total) {
      amount = (some, all) => `${exactCount(some)} of ${exactCount(all)} samples`;
      show(done, total);
    },
    stop: () => bar.stop(),
  };
}
