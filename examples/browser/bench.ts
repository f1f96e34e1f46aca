import type { News, Wanted } from "../../bench/browser/messages.js";
import { type ReportedTask, threeDigits } from "../../bench/report.js";
import { bar, element, make } from "./dom.js";

// The benchmark: the harness of `coppice bench` in a worker, and bars for what it finds.

/** What a decoder, and an encoder, spends most of its time with. */
const SOME: readonly string[] = ["huffman decode 5-bit", "gaps and codes to dense", "crc-32c", "prune and compact", "k-means"];

const CLASSES: Readonly<Record<string, string>> = { "WASM SIMD": "ours", "WASM scalar": "half" };

function kernel({ task, unit, forms, refused }: ReportedTask): HTMLElement {
  const fastest = Math.max(...forms.map(({ perSecond }) => perSecond.minimum));
  const times = forms.find(({ form }) => form === "WASM SIMD")?.timesJavaScript?.minimum;
  const title = make("h3", "", task, make("span", "", times === undefined ? "" : `${threeDigits(times)}x JavaScript`));
  const bars = forms.map(({ form, perSecond: { minimum } }) =>
    bar(CLASSES[form] ?? "", form, minimum / fastest, `${threeDigits(minimum / 1e6)} M ${unit === "multiply-adds" ? "FMA" : unit}/s`),
  );
  const left = refused.map(({ form, reason }) => make("p", "small", `${form} is left out: ${reason}`));
  return make("div", "kernel", title, ...bars, ...left);
}

export function setUpBench(): void {
  const state = element("bench-state");
  const step = element("bench-step");
  const run = element<HTMLButtonElement>("run");
  const stop = element<HTMLButtonElement>("bench-stop");
  let worker: Worker | undefined;

  const end = (text: string): void => {
    worker?.terminate();
    run.disabled = false;
    stop.hidden = true;
    step.textContent = "";
    state.textContent = text;
  };

  element("bench-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const rounds = element<HTMLInputElement>("rounds").valueAsNumber;
    const wanted: Wanted = { rounds, filters: element<HTMLSelectElement>("kernels").value === "all" ? [] : SOME };
    element("bench-bars").replaceChildren();
    run.disabled = true;
    stop.hidden = false;
    state.textContent = "Measuring";
    worker = new Worker("bench-worker.js", { type: "module" });
    worker.onerror = ({ message }) => end(`It failed: ${message}`);
    worker.onmessage = ({ data }: MessageEvent<News>) => {
      if (data.kind === "step") step.textContent = data.text;
      else if (data.kind === "task") element("bench-bars").append(kernel(data.task));
      else if (data.kind === "failed") end(`It failed: ${data.text}`);
      else end(`Best of ${rounds} rounds, on ${navigator.hardwareConcurrency} processors, one of them used.`);
    };
    worker.postMessage(wanted);
  });
  stop.addEventListener("click", () => {
    end("Stopped.");
    run.focus();
  });
}
