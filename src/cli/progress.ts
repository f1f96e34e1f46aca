import { SingleBar } from "cli-progress";
import type { Progress } from "../index.js";
import { widthOf } from "./streams.js";
import { printable, shortName } from "./text.js";

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
  /** Takes the bar away. */
  stop(): void;
}

/** A bar on standard error, which must be a terminal with a cursor. It shows once there is progress: what fails before any work leaves no trace of it. */
export function progressBar(): ProgressBar {
  let tensor = "";
  const bar = new SingleBar({
    stream: process.stderr,
    clearOnComplete: true,
    hideCursor: true,
    format: ({ etaBuffer: _ }, { value, total, eta }) => {
      const part = total > 0 ? value / total : 1;
      const left = Number.isFinite(eta) && eta > 0 && value > 0 ? `  ${eta} s left` : "";
      const line = `${barOf(part)}  ${(value / MB).toFixed(1)} of ${(total / MB).toFixed(1)} MB${left}  ${shortName(printable(tensor), NAME_WIDTH)}`;
      return Array.from(line)
        .slice(0, widthOf(process.stderr) - 1)
        .join("");
    },
  });
  return {
    update({ tensor: name, doneBytes, totalBytes }) {
      tensor = name;
      if (!bar.isActive) bar.start(totalBytes, doneBytes);
      if (bar.getTotal() !== totalBytes) bar.setTotal(totalBytes);
      bar.update(doneBytes);
    },
    stop: () => bar.stop(),
  };
}
