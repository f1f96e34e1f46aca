import { inspect, type Report, type WorkOptions } from "../index.js";
import { openInput, withInput } from "./input.js";

export interface InspectFlags {
  readonly maxBytes?: number;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** `coppice inspect`: what an archive holds. */
export async function inspectCommand(
  archive: string,
  { maxBytes }: InspectFlags,
  signal: AbortSignal,
  onProgress: WorkOptions["onProgress"],
): Promise<Report> {
  const opened = await openInput(archive, signal);
  return withInput(opened, (input) => inspect(input, { maxBytes, signal, onProgress }));
}
