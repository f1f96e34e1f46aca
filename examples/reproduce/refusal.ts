import { FormatError } from "../../src/errors.js";

const EXIT_USAGE = 2;
const EXIT_FILE = 3;

/** The exit code for what a training refuses: a checkpoint that is broken, or a folder that another run has. Of anything else, undefined: its stack says more than its message. */
export function exitCodeOf(error: unknown): number | undefined {
  if (error instanceof FormatError) return EXIT_FILE;
  return error instanceof RangeError || error instanceof TypeError ? EXIT_USAGE : undefined;
}
