import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { epoch } from "./files/epoch.js";
import { kmeansPeer } from "./files/kmeans.js";
import { CLI, type Job, serveJob } from "./files/measure.js";
import { archiveToMemory, type Context, commandLine, growth, memory, memoryToArchive, start, threads } from "./files/parts.js";
import { thisMachine } from "./node/machine.js";
import { machineLines } from "./report.js";

// npm run bench:files [-- PART...] [--folder FOLDER] [--rounds N]: whole files and programs, by dist/ as `npm run build` leaves it.

const PARTS: Readonly<Record<string, (context: Context) => Promise<void>>> = {
  start,
  "k-means": kmeansPeer,
  epoch,
  growth,
  "memory-to-archive": memoryToArchive,
  "archive-to-memory": archiveToMemory,
  cli: commandLine,
  threads,
  memory,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { folder: { type: "string" }, rounds: { type: "string", default: "5" }, job: { type: "string" } },
});

async function main(): Promise<void> {
  const parts = positionals.length === 0 ? Object.keys(PARTS) : positionals;
  const unknown = parts.filter((part) => PARTS[part] === undefined);
  if (unknown.length > 0 || !existsSync(CLI)) {
    console.error(
      unknown.length > 0
        ? `no part is called ${unknown.join(", ")}; there are ${Object.keys(PARTS).join(", ")}`
        : "there is no dist/: npm run build first",
    );
    process.exit(2);
  }
  const folder = values.folder ?? mkdtempSync(path.join(tmpdir(), "coppice-files-"));
  mkdirSync(folder, { recursive: true });
  console.log(machineLines(thisMachine("not used here")).slice(0, 2).join("\n"));
  try {
    for (const part of parts) {
      console.log(`\n${part}`);
      await PARTS[part]({ folder, rounds: Number(values.rounds), say: (what, figure) => console.log(`  ${what}: ${figure}`) });
    }
  } finally {
    if (values.folder === undefined) rmSync(folder, { recursive: true, force: true });
  }
}

if (values.job) await serveJob(JSON.parse(values.job) as Job);
else await main();
