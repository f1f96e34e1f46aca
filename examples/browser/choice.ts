import type { Preset } from "../../src/pipeline/recipe.js";
import { element } from "./dom.js";
import type { Choice } from "./messages.js";

// The form that says how to compress.

/** @param compress told what was chosen */
export function setUpChoice(compress: (choice: Choice) => void): void {
  const form = element<HTMLFormElement>("choice");
  const bits = element<HTMLInputElement>("bits");
  const sparsity = element<HTMLInputElement>("sparsity");
  const preset = (): string => new FormData(form).get("preset") as string;
  const show = (): void => {
    element<HTMLFieldSetElement>("own").disabled = preset() !== "own";
    element("bits-text").textContent = bits.value;
    element("sparsity-text").textContent = `${sparsity.value} %`;
  };
  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (preset() !== "own") return compress({ preset: preset() as Preset });
    const part = sparsity.valueAsNumber / 100;
    // As `coppice compress --bits N --sparsity S` has it.
    compress({ preset: "default", bits: bits.valueAsNumber, sparsity: part === 0 ? undefined : part });
  });
  show();
}
