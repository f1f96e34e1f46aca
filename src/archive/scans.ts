/** The axes R, C, K of each scan, slowest first: docs/format.md, section 4.1. */
export const SCANS: readonly (readonly [number, number, number])[] = [
  [0, 1, 2],
  [1, 0, 2],
  [0, 2, 1],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
];

/** What a report calls a scan: of a matrix there are two, of other tensors the axes are named, slowest first. */
export function scanName(axes: readonly [number, number, number], scan: number): string {
  if (scan === 0) return "row-major";
  return axes[2] === 1 && scan !== 2 ? "column-major" : SCANS[scan].map((axis) => "RCK"[axis]).join(" ");
}

/** A tensor as a context coder walks it: the scan's slowest axis as rows, the two others as columns, of which those of the fastest axis belong together. */
export function scanRows(axes: readonly [number, number, number], scan: number): { rows: number; columns: number; kernel: number } {
  const [slow, middle, fast] = SCANS[scan];
  return { rows: axes[slow], columns: axes[middle] * axes[fast], kernel: axes[fast] };
}
