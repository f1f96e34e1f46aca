import picocolors from "picocolors";

export type Colors = ReturnType<typeof picocolors.createColors>;

/** `stream` is a terminal that understands more than lines of text. */
export function hasCursor(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY === true && process.env["TERM"] !== "dumb";
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
