import { FormatError } from "../errors.js";
import { type Comparison, inspect, verify, type WorkOptions } from "../index.js";
import { FileFault, openInput, withInput } from "./input.js";
import { UsageError } from "./usage.js";

export interface VerifyFlags {
  readonly maxBytes?: number;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** `coppice verify`: a model beside an archive of it. */
export async function verifyCommand(
  model: string,
  archive: string,
  { maxBytes }: VerifyFlags,
  signal: AbortSignal,
  onProgress: WorkOptions["onProgress"],
): Promise<Comparison> {
  if (model === "-" && archive === "-") throw new UsageError("only one of model and archive can be standard input; name a file");
  const openedModel = await openInput(model, signal);
  const openedArchive = await openInput(archive, signal);
  return withInput(openedModel, (modelInput) =>
    withInput(openedArchive, async (archiveInput) => {
      try {
        return await verify(modelInput, archiveInput, { maxBytes, signal, onProgress });
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
        // Which of the two it is: the same bytes always give the same error.
        await inspect(archiveInput, { maxBytes, signal });
        throw new FileFault(openedModel.title, error);
      }
    }),
  );
}
