import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import {
  agreed,
  bench,
  benchNetworks,
  benchRun,
  chart,
  documentMarkdown,
  documentText,
  layerNames,
  networkNames,
  networksAgreed,
  networksChart,
  networksMarkdown,
  networksText,
  runChart,
  runMarkdown,
  runText,
  taskNames,
} from "./entry.js";

// npm run bench [-- [run | networks] FILTER...] [--rounds N] [--json FILE] [--markdown FILE] [--svg FILE] [--list]

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string" },
    json: { type: "string" },
    markdown: { type: "string" },
    svg: { type: "string" },
    list: { type: "boolean" },
  },
});

const [first, ...rest] = positionals;
if (values.list) {
  console.log((first === "run" ? layerNames() : first === "networks" ? networkNames() : taskNames()).join("\n"));
  process.exit(0);
}

const onProgress = process.stderr.isTTY ? (text: string) => void process.stderr.write(`\r\x1b[K${text}`) : undefined;
const rounds = values.rounds === undefined ? undefined : Number(values.rounds);

interface Benched {
  readonly document: object;
  readonly text: string;
  readonly markdown: string;
  readonly svg: string;
  readonly agreed: boolean;
}

async function kernels(): Promise<Benched> {
  const document = await bench({ filters: positionals, rounds, onProgress });
  const refused = document.tasks.some((task) => task.refused.length > 0);
  return { document, text: documentText(document), markdown: documentMarkdown(document), svg: chart(document), agreed: !refused };
}

async function runs(): Promise<Benched> {
  const document = await benchRun({ filters: rest, rounds, onProgress });
  return { document, text: runText(document), markdown: runMarkdown(document), svg: runChart(document), agreed: agreed(document) };
}

async function networks(): Promise<Benched> {
  const document = await benchNetworks({ filters: rest, rounds, onProgress });
  const [text, markdown, svg] = [networksText(document), networksMarkdown(document), networksChart(document)];
  return { document, text, markdown, svg, agreed: networksAgreed(document) };
}

const benched = await (first === "run" ? runs() : first === "networks" ? networks() : kernels());
onProgress?.("");
console.log(benched.text);
if (values.json) await writeFile(values.json, `${JSON.stringify(benched.document, null, 2)}\n`);
if (values.markdown) await writeFile(values.markdown, benched.markdown);
if (values.svg) await writeFile(values.svg, benched.svg);
process.exit(benched.agreed ? 0 : 1);
