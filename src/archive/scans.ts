/** The axes R, C, K of each scan, slowest first: docs/format.md, section 4.1. */
export const SCANS: readonly (readonly [number, number, number])[] = [
  [0, 1, 2],
  [1, 0, 2],
  [0, 2, 1],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
];

export const SCAN_NAMES: readonly string[] = ["row-major", "C R K", "R K C", "column-major", "K R C", "K C R"];
