import { exactCount, times } from "../../src/cli/text.js";
import type { FileReport } from "../../src/pipeline/report.js";
import { bar, element, make } from "./dom.js";

// Bytes before and after.

function show(name: string, ...parts: readonly HTMLElement[]): void {
  element("sizes").hidden = false;
  element("name").textContent = name;
  element("bars").replaceChildren(...parts);
}

/** A model that is not compressed. */
export function showModel(name: string, byteLength: number): void {
  show(name, bar("", "model", 1, `${exactCount(byteLength)} bytes`));
}

export function showArchive(name: string, { bytes, sourceBytes, ratio }: FileReport): void {
  const title = make("p", "ratio", times(ratio), make("small", "", " smaller, every byte counted"));
  const longest = Math.max(bytes, sourceBytes);
  show(
    name,
    title,
    bar("", "model", sourceBytes / longest, `${exactCount(sourceBytes)} bytes`),
    bar("ours", "archive", bytes / longest, `${exactCount(bytes)} bytes`),
  );
}

/** What compressing gave, to be saved; nothing for an archive that was opened. */
export function showMade(name: string, made?: { readonly file: Blob; readonly milliseconds: number }): void {
  const save = element<HTMLAnchorElement>("save");
  if (save.protocol === "blob:") URL.revokeObjectURL(save.href);
  save.removeAttribute("href");
  element("made").hidden = made === undefined;
  if (made === undefined) return;
  save.href = URL.createObjectURL(made.file);
  save.download = name;
  element("made-text").textContent = `made in ${(made.milliseconds / 1000).toFixed(2)} s; Node makes the same bytes`;
}
