import type { Report } from "../index.js";
import { grid } from "./grid.js";
import { REPORT_COLUMNS, reportRow, totalRow } from "./report-rows.js";
import type { Colors, Room } from "./streams.js";
import { exactCount, printable, times } from "./text.js";

/**
 * The paper's table, layer by layer, and what the whole file comes to. Its columns P+Q are those of fixed length here, and P+Q+H those "coded"; the total of a column is over the layers that have it.
 */
export function reportTable(report: Report, room: Room, colors: Colors): string {
  const { file, tensors, notes: general = [] } = report;
  const { bytes, sourceBytes, headerBytes, ratio } = file;
  const notes = tensors.filter(({ note }) => note !== undefined).map(({ name, note }) => `${name}: ${note}`);
  return [
    grid(REPORT_COLUMNS, tensors.map(reportRow), room, colors, totalRow(report)),
    "",
    ...[...general, ...notes].map(printable),
    `${exactCount(sourceBytes)} -> ${exactCount(bytes)} bytes (header ${exactCount(headerBytes)}): ${colors.bold(times(ratio))} smaller, every byte counted`,
    "",
  ].join("\n");
}
