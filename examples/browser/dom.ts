/** The element of the page that has this id. */
export function element<T extends Element = HTMLElement>(id: string): T {
  return document.getElementById(id) as unknown as T;
}

/** A new element with a class, and what is in it. Text stays text, whatever is in a file's names. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className = "",
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  made.className = className;
  made.append(...children);
  return made;
}

/** A line of a bar chart: `part` is the bar's of the longest. */
export function bar(className: string, name: string, part: number, amount: string): HTMLElement {
  const fill = make("div", "fill");
  fill.style.width = `${100 * Math.min(1, part)}%`;
  return make("div", `bar ${className}`, make("span", "", name), make("div", "track", fill), make("span", "amount", amount));
}

/** A colour of the style sheet, as the page has it now. */
export function color(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** Calls when the colours of the page change. */
export function onColors(call: () => void): void {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", call);
}
