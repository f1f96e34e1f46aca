import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { bench, chart, documentMarkdown, documentText, ROUNDS, taskNames } from "./entry.js";

// npm run bench [-- FILTER...] [--rounds N] [--json FILE] [--markdown FILE] [--svg FILE] [--list]

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: String(ROUNDS) },
    json: { type: "string" },
    markdown: { type: "string" },
    svg: { type: "string" },
    list: { type: "boolean" },
  },
});

if (values.list) {
  console.log(taskNames().join("\n"));
  process.exit(0);
}

const onProgress = process.stderr.isTTY ? (text: string) => void process.stderr.write(`\r\x1b[K${text}`) : undefined;
const document = await bench({ filters: positionals, rounds: Number(values.rounds), onProgress });
onProgress?.("");
console.log(documentText(document));
if (values.json) await writeFile(values.json, `${JSON.stringify(document, null, 2)}\n`);
if (values.markdown) await writeFile(values.markdown, documentMarkdown(document));
if (values.svg) await writeFile(values.svg, chart(document));
process.exit(document.tasks.some(({ refused }) => refused.length > 0) ? 1 : 0);
