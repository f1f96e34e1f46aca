import { setUpBench } from "./bench.js";
import { setUpChoice } from "./choice.js";
import { element, onColors } from "./dom.js";
import { setUpFiles } from "./files.js";
import { drawHistogram } from "./histogram.js";
import type { Look } from "./look.js";
import type { News, Wish } from "./messages.js";
import { Pad } from "./pad.js";
import { drawPattern } from "./pattern.js";
import { showArchive, showMade, showModel } from "./sizes.js";
import { TensorTable } from "./table.js";

// The page: tells the worker what the reader wants, and shows what it answers.

const worker = new Worker("worker.js", { type: "module" });
const ask = (wish: Wish): void => worker.postMessage(wish);

const state = element("state");
const pad = new Pad();
const table = new TensorTable(look);

/** The file that is being opened. */
let opening: string | undefined;
/** What is open. */
let names: readonly string[] = [];
/** The tensor that is looked at, and what there is to see of it. */
let looked = 0;
/** Of the last question, whose answer alone is shown: others are of a file or a tensor that the reader has left. */
let number = 0;
let seen: Look | undefined;
/** The reader said whether survivors or values are to be seen. Until then it is what there is more to see of. */
let chosen = false;

function look(tensor: number): void {
  looked = tensor;
  ask({ kind: "look", tensor, number: ++number });
}

function open(name: string, from: Blob | string): void {
  for (const id of ["sizes", "compress", "tensors", "look"]) element(id).hidden = true;
  names = [];
  number++;
  seen = undefined;
  opening = name;
  begin(`Opening ${name}`);
  ask({ kind: "open", name, from });
}

function begin(text: string): void {
  element("failure").textContent = "";
  element("work").hidden = false;
  element<HTMLProgressElement>("progress").value = 0;
  element("percent").textContent = "";
  element<HTMLButtonElement>("start").disabled = true;
  state.textContent = text;
}

function end(text: string): void {
  element("work").hidden = true;
  element<HTMLButtonElement>("start").disabled = false;
  state.textContent = text;
}

/** Looks at the largest tensor: the one that there is most to see of. */
function lookAtLargest(sizes: readonly number[]): void {
  if (sizes.length > 0) look(sizes.indexOf(Math.max(...sizes)));
}

function showLook(): void {
  element("look-name").textContent = names[looked];
  element("look").hidden = seen === undefined;
  if (seen === undefined) return;
  const values = element<HTMLInputElement>("values");
  if (!chosen) (seen.survivors === seen.weights ? values : element<HTMLInputElement>("survivors")).checked = true;
  drawHistogram(names[looked], seen);
  drawPattern(names[looked], seen, values.checked);
}

/** Shows an archive, and reads digits with it where it can, unless the reader has left it meanwhile. */
async function showNetwork({ name, report, network, made }: Extract<News, { kind: "archive" }>): Promise<void> {
  const own = report.tensors.map((tensor) => tensor.name);
  names = own;
  showArchive(name, report.file);
  showMade(name, made);
  table.showReport(report);
  if (network) await pad.use(network, name);
  else pad.keep(`${name} holds no network that reads digits`);
  if (names !== own) return;
  opening = undefined;
  end(`${name}: ${own.length} tensors.`);
  lookAtLargest(report.tensors.map(({ weights }) => weights));
}

const doings: Readonly<Record<string, string>> = {
  reading: "Reading",
  counting: "Counting what the records hold",
  compressing: "Compressing",
};

function hear(news: News): void {
  if (news.kind === "progress") {
    const part = news.totalBytes === 0 ? 1 : news.doneBytes / news.totalBytes;
    element<HTMLProgressElement>("progress").value = part;
    element("percent").textContent = `${Math.floor(100 * part)} %`;
    // Said once: what changes all the time would be read aloud all the time.
    if (state.textContent !== doings[news.doing]) state.textContent = doings[news.doing];
  } else if (news.kind === "arrived") {
    if (names.length === 0) table.showPlain([]);
    names = [...names, news.tensor.name];
    table.add(news.tensor);
  } else if (news.kind === "model") {
    names = news.tensors.map(({ name }) => name);
    showModel(news.name, news.byteLength);
    showMade("");
    table.showPlain(news.tensors);
    element("compress").hidden = false;
    pad.keep(`${news.name} is not compressed yet`);
    opening = undefined;
    end(`${news.name}: ${names.length} tensors, not compressed yet.`);
    lookAtLargest(news.tensors.map(({ shape }) => shape.reduce((product, axis) => product * axis, 1)));
  } else if (news.kind === "archive") {
    void showNetwork(news);
  } else if (news.kind === "look") {
    if (news.number !== number) return;
    seen = news.look;
    table.mark(looked);
    showLook();
  } else if (news.kind === "failed") {
    end("");
    element("failure").textContent = news.file === undefined ? news.text : `${news.file}: ${news.text}`;
    if (opening !== undefined && news.file === opening) pad.keep(`${opening} was refused`);
  } else {
    if (opening !== undefined) pad.keep(`${opening} was not read to its end`);
    end("Stopped.");
  }
}

worker.onmessage = ({ data }: MessageEvent<News>) => hear(data);
worker.onerror = ({ message }) => hear({ kind: "failed", text: message });

element("stop").addEventListener("click", () => ask({ kind: "stop" }));
element("look").addEventListener("change", () => {
  chosen = true;
  showLook();
});
onColors(showLook);
new ResizeObserver(() => seen && drawHistogram(names[looked], seen)).observe(element("look"));
setUpChoice((choice) => {
  begin("Compressing");
  ask({ kind: "compress", choice });
});
setUpBench();
setUpFiles(open);
