import path from "node:path";
import { placeOf, writeAllWhole } from "../pipeline/output.js";
import { clearCheckpoints } from "./checkpoint.js";
import { reportPage } from "./page.js";
import type { TrainingReport } from "./report.js";
import { type TrainArchiveOptions, withTrained } from "./train.js";

/** Where a training goes. */
export interface TrainedFiles {
  /** The archive. */
  readonly output: string;
  /** The report as a page of HTML that needs nothing else; none unless given. */
  readonly page?: string;
  /** Overwrite what is there; unless set, that is an OutputExistsError. */
  readonly force?: boolean;
  /** Leave the checkpoints; unless set, they are removed once the files are written. */
  readonly keep?: boolean;
}

/** What was written. */
export interface WrittenFile {
  readonly path: string;
  readonly bytes: number;
}

/**
 * Trains into files, which appear whole, and all or none. See `trainArchive`.
 *
 * @throws OutputExistsError, before anything is trained, where a file is there and `force` is not set
 */
export async function trainFile(
  options: TrainArchiveOptions,
  { output, page, force = false, keep = false }: TrainedFiles,
): Promise<{ report: TrainingReport; files: WrittenFile[] }> {
  const paths = page === undefined ? [output] : [output, page];
  if (page !== undefined && path.resolve(page) === path.resolve(output)) throw new RangeError("page must be another file than the archive");
  for (const one of paths) await placeOf(one, force);
  return withTrained(options, async ({ archive, report }) => {
    const contents = page === undefined ? [archive] : [archive, new TextEncoder().encode(reportPage(report, path.basename(output)))];
    await writeAllWhole(paths, force, (index, sink) => sink(contents[index]));
    if (!keep && options.checkpoint !== undefined) await clearCheckpoints(options.checkpoint);
    return { report, files: paths.map((file, i) => ({ path: file, bytes: contents[i].length })) };
  });
}
