import { inspect, type Report } from "../index.js";
import { openInput, withInput } from "./input.js";
import { orInterrupted } from "./interrupt.js";

export interface InspectFlags {
  readonly maxBytes?: number;
  readonly json?: boolean;
}

/** `coppice inspect`: what an archive holds. */
export async function inspectCommand(archive: string, flags: InspectFlags, signal: AbortSignal): Promise<Report> {
  const opened = await openInput(archive, signal);
  return withInput(opened, (input) => orInterrupted(inspect(input, { maxBytes: flags.maxBytes }), signal));
}
