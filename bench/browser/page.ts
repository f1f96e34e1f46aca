import { chart } from "../chart.js";
import { type BenchDocument, HEADS, type Machine, machineLines, type ReportedTask, rowOf, taskTitle } from "../report.js";
import type { News, Wanted } from "./messages.js";

// The page: asks the worker, and shows a table for each kernel and one chart. `?run` starts at once; `kernels` and `rounds` may be in the address too.

const element = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;
const kernels = element<HTMLInputElement>("kernels");
const rounds = element<HTMLInputElement>("rounds");
const start = element<HTMLButtonElement>("start");
const save = element("save");
const state = element("state");

const machine: Machine = {
  cpu: "this machine",
  cores: navigator.hardwareConcurrency,
  system: navigator.platform || "unknown system",
  runtime: navigator.userAgent,
  native: "left out, a browser has none",
};

const cell = (kind: "td" | "th", text: string): HTMLElement => {
  const made = document.createElement(kind);
  made.textContent = text;
  return made;
};

function row(texts: readonly string[], kind: "td" | "th"): HTMLTableRowElement {
  const made = document.createElement("tr");
  made.append(...texts.map((text, i) => cell(i === 0 ? "th" : kind, text)));
  return made;
}

function table(task: ReportedTask): HTMLElement {
  const made = document.createElement("table");
  made.createCaption().textContent = taskTitle(task);
  made.createTHead().append(row(HEADS, "th"));
  made.createTBody().append(...task.forms.map((form) => row(rowOf(form), "td")));
  const box = document.createElement("div");
  box.className = "wide";
  box.append(made);
  for (const { form, note } of task.forms) if (note !== undefined) box.append(paragraph(`${form}: ${note}`));
  for (const { form, reason } of task.refused) box.append(paragraph(`${form} is left out: ${reason}`));
  return box;
}

function paragraph(text: string): HTMLElement {
  const made = document.createElement("p");
  made.textContent = text;
  return made;
}

function run(wanted: Wanted): void {
  const result: BenchDocument & { tasks: ReportedTask[] } = { machine, rounds: wanted.rounds, tasks: [] };
  const worker = new Worker("worker.js", { type: "module" });
  start.disabled = true;
  save.replaceChildren();
  element("tables").replaceChildren();
  element("chart").replaceChildren();
  const end = (text: string): void => {
    worker.terminate();
    start.disabled = false;
    state.textContent = text;
  };
  worker.onerror = ({ message }) => end(`failed: ${message}`);
  worker.onmessage = ({ data }: MessageEvent<News>) => {
    if (data.kind === "step") state.textContent = data.text;
    else if (data.kind === "failed") end(`failed: ${data.text}`);
    else if (data.kind === "task") {
      result.tasks.push(data.task);
      element("tables").append(table(data.task));
      element("chart").innerHTML = chart(result);
    } else {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([JSON.stringify(result, null, 2)], { type: "application/json" }));
      link.download = "coppice-bench.json";
      link.textContent = "save as JSON";
      save.append(link);
      end("done");
    }
  };
  worker.postMessage(wanted);
}

element("machine").textContent = machineLines(machine).slice(0, 2).join(" · ");
const address = new URLSearchParams(location.search);
kernels.value = address.get("kernels") ?? "";
rounds.value = address.get("rounds") ?? rounds.value;
const wantedNow = (): Wanted => ({
  filters: kernels.value
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== ""),
  rounds: Math.max(1, Math.round(Number(rounds.value)) || 1),
});
element("form").addEventListener("submit", (event) => {
  event.preventDefault();
  run(wantedNow());
});
if (address.has("run")) run(wantedNow());
