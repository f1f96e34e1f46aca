import { REPORT_COLUMNS, reportRow, totalRow } from "../../src/cli/report-rows.js";
import { exactCount, NOTHING, shortCount } from "../../src/cli/text.js";
import type { Report } from "../../src/pipeline/report.js";
import { elementCount, type TensorInfo, tensorByteLength } from "../../src/types.js";
import { element, make } from "./dom.js";

// The table of tensors: of an archive, the one that `coppice inspect` prints.

interface Column {
  readonly title: string;
  readonly left?: boolean;
}

/** What is known of a tensor before it is compressed, or of one that has just arrived. */
const PLAIN_COLUMNS: readonly Column[] = [
  { title: "layer", left: true },
  { title: "weights" },
  { title: "type", left: true },
  { title: "shape", left: true },
  { title: "bytes" },
];

function plainRow({ name, dtype, shape }: TensorInfo): string[] {
  return [name, shortCount(elementCount(shape)), dtype, shape.join(" × "), exactCount(tensorByteLength(dtype, shape))];
}

export class TensorTable {
  readonly #table: HTMLTableElement;
  readonly #choose: (tensor: number) => void;
  #body: HTMLTableSectionElement | undefined;

  /** @param choose told of the tensor that the reader chose */
  constructor(choose: (tensor: number) => void) {
    this.#table = element<HTMLTableElement>("table");
    this.#choose = choose;
  }

  /** Tensors without their records, and room for more. */
  showPlain(tensors: readonly TensorInfo[]): void {
    this.#show(PLAIN_COLUMNS, tensors.map(plainRow));
  }

  add(tensor: TensorInfo): void {
    const row = this.#row(PLAIN_COLUMNS, plainRow(tensor), this.#body!.rows.length);
    // Until the file is open there is nothing to see of it.
    row.querySelector("button")!.disabled = true;
    this.#body!.append(row);
  }

  showReport(report: Report): void {
    const rows = report.tensors.map(reportRow);
    // As on a terminal: columns that say nothing go.
    const spoken = <T>(cells: readonly T[]): T[] => cells.filter((_, i) => rows.some((row) => row[i] !== NOTHING));
    this.#show(spoken(REPORT_COLUMNS), rows.map(spoken), spoken(totalRow(report)));
    const notes = report.tensors.filter(({ note }) => note !== undefined).map(({ name, note }) => `${name}: ${note}`);
    element("notes").replaceChildren(...[...(report.notes ?? []), ...notes].map((note) => make("p", "small", note)));
  }

  /** Shows which tensor is looked at. */
  mark(tensor: number): void {
    for (const [i, row] of [...this.#body!.rows].entries()) row.querySelector("button")!.setAttribute("aria-pressed", String(i === tensor));
  }

  #show(columns: readonly Column[], rows: readonly (readonly string[])[], total?: readonly string[]): void {
    element("tensors").hidden = false;
    element("notes").replaceChildren();
    const head = make(
      "thead",
      "",
      cells(
        columns,
        columns.map(({ title }) => title),
      ),
    );
    for (const cell of head.querySelectorAll("th")) cell.scope = "col";
    this.#body = make("tbody", "", ...rows.map((row, i) => this.#row(columns, row, i)));
    this.#table.replaceChildren(head, this.#body);
    if (total) this.#table.append(make("tfoot", "", cells(columns, total, "td")));
  }

  #row(columns: readonly Column[], texts: readonly string[], index: number): HTMLTableRowElement {
    const row = cells(columns, texts, "td");
    const button = make("button", "", texts[0]);
    button.type = "button";
    button.title = texts[0];
    button.setAttribute("aria-pressed", "false");
    (row.firstElementChild as HTMLTableCellElement).scope = "row";
    row.firstElementChild!.replaceChildren(button);
    row.addEventListener("click", () => {
      if (!button.disabled) this.#choose(index);
    });
    return row;
  }
}

/** A row whose first cell is a head. */
function cells(columns: readonly Column[], texts: readonly string[], kind: "td" | "th" = "th"): HTMLTableRowElement {
  return make("tr", "", ...texts.map((text, i) => make(i === 0 ? "th" : kind, columns[i].left ? "left" : "", text)));
}
