import { element } from "./dom.js";

// Where files come from: the picker, a drop, or the examples of this page.

const EXAMPLE_ARCHIVE = "lenet-300-100.coppice";
const EXAMPLE_CONVOLUTIONS = "lenet-5.coppice";
const EXAMPLE_MODEL = "lenet-300-100.safetensors";

/** @param open told of each file, or the address of one; of the example archive at once, so that there is something to see */
export function setUpFiles(open: (name: string, from: Blob | string) => void): void {
  const picker = element<HTMLInputElement>("file");
  picker.addEventListener("change", () => {
    const file = picker.files?.[0];
    if (file) open(file.name, file);
    picker.value = ""; // so that the same file may be picked again
  });
  element("example-archive").addEventListener("click", () => open(EXAMPLE_ARCHIVE, EXAMPLE_ARCHIVE));
  element("example-convolutions").addEventListener("click", () => open(EXAMPLE_CONVOLUTIONS, EXAMPLE_CONVOLUTIONS));
  element("example-model").addEventListener("click", () => open(EXAMPLE_MODEL, EXAMPLE_MODEL));

  const over = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") ?? false;
  const mark = (on: boolean): void => void document.body.classList.toggle("over", on);
  addEventListener("dragover", (event) => {
    if (!over(event)) return;
    event.preventDefault();
    mark(true);
  });
  addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) mark(false);
  });
  addEventListener("drop", (event) => {
    mark(false);
    if (!over(event)) return;
    event.preventDefault();
    const file = event.dataTransfer?.files[0];
    if (file) open(file.name, file);
  });
  open(EXAMPLE_ARCHIVE, EXAMPLE_ARCHIVE);
}
