import { fstatSync } from "node:fs";
import picocolors from "picocolors";

export type Colors = ReturnType<typeof picocolors.createColors>;

/** `stream` is a terminal that understands more than lines of text. */
export function hasCursor(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY === true && process.env["TERM"] !== "dumb";
}

/**
 * Progress can be drawn on standard error. Not where standard output is a pipe: what reads from it may draw on the same terminal, as another coppice does, or a pager.
 */
export function canDraw(): boolean {
  return hasCursor(process.stderr) && !isPipe(process.stdout.fd);
}

function isPipe(fd: number): boolean {
  try {
    const stats = fstatSync(fd);
    return stats.isFIFO() || stats.isSocket();
  } catch {
    return false;
  }
}

/** Colours for a terminal; none where `stream` is something else, or NO_COLOR is set. */
export function colorsFor(stream: NodeJS.WriteStream): Colors {
  return picocolors.createColors(hasCursor(stream) && !process.env["NO_COLOR"]);
}

const USUAL_WIDTH = 100;

/** Columns that a line of `stream` has. */
export function widthOf(stream: NodeJS.WriteStream): number {
  return stream.columns || USUAL_WIDTH;
}

/** What there is for a table: columns, and whether that is a terminal's width, at which lines wrap. */
export interface Room {
  readonly width: number;
  readonly wraps: boolean;
}

export function roomOf(stream: NodeJS.WriteStream): Room {
  return { width: widthOf(stream), wraps: stream.columns > 0 };
}
