import { writeError } from "./stdio.js";
import { canDraw, colorsFor } from "./streams.js";
import type { TrainListeners } from "./train.js";
import { progressLine, resumeLine, stageLine } from "./train-line.js";

export interface TrainingWatch {
  readonly listeners: TrainListeners;
  /** To be called at the end, however that came. */
  stop(interrupted: boolean): Promise<void>;
}

/** Tells on standard error how a training does: on a terminal in a line that changes, elsewhere in a line a stage, but for programs that read JSON. */
export function watchTraining({ quiet, json }: { readonly quiet?: boolean; readonly json?: boolean }): TrainingWatch {
  if (quiet) return { listeners: {}, stop: async () => undefined };
  const line = canDraw() ? progressLine() : undefined;
  const say = (text: string): void => void writeError(text).catch(() => undefined); // where nobody listens, it trains on
  const speaks = line !== undefined || !json;
  /** Whether there is a checkpoint to go on from. */
  let kept = false;
  return {
    listeners: {
      onProgress(progress) {
        if (progress.heldOut !== undefined) kept = true;
        line?.update(progress);
      },
      onResume(from) {
        kept = true;
        if (speaks) say(resumeLine(from));
      },
      onStage(report, stage, stages) {
        kept = true;
        if (speaks && line === undefined) say(stageLine(report, stage, stages));
      },
    },
    async stop(interrupted) {
      line?.stop();
      if (!interrupted) return;
      const next = kept
        ? "the same command goes on from the last epoch that was done"
        : "no epoch was done, so the same command begins anew";
      await writeError(`${colorsFor(process.stderr).red("coppice:")} interrupted; ${next}`);
    },
  };
}
