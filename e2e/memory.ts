import { createReadStream } from "node:fs";
import { readFile, rm, stat } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { networkArchive } from "./archives.ts";
import type { Streamed } from "./inside/memory.ts";
import { makeProject } from "./project.ts";
import { RUNTIMES } from "./runtimes/index.ts";

// npm --prefix e2e run memory: what a runtime takes to stream an archive of VGG-16's shape, 553 MB dense, by blocks from a server, as a Worker would. Linux alone tells the memory of a process so.

/** Streamings in one process, one after another. */
const TIMES = 5;

/** Megabytes that a process has in memory now, and had at most. */
async function memoryOf(pid: number | undefined): Promise<{ now: number; most: number }> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const of = (field: string): number => Number(new RegExp(`${field}:\\s*(\\d+) kB`).exec(status)?.[1]) / 1e3;
  return { now: of("VmRSS"), most: of("VmHWM") };
}

const project = await makeProject();
const vgg16 = await networkArchive("vgg16");
const server = createServer((_, response) => void createReadStream(vgg16).pipe(response));
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
try {
  const rows: string[] = [];
  for (const { name, start } of RUNTIMES.filter(({ name }) => /^Node|workerd/.test(name))) {
    const running = await start({ project, entry: "inside/memory.ts" });
    try {
      const about = (await running.call("about")) as string;
      const idle = await memoryOf(running.pid);
      let streamed: Streamed | undefined;
      for (let i = 0; i < TIMES; i++) streamed = (await running.call("stream", url)) as Streamed;
      const { most } = await memoryOf(running.pid);
      const { byteLength, wasmBytes } = streamed!;
      rows.push(
        `| ${[about, byteLength, (wasmBytes / 1e6).toFixed(1), idle.now.toFixed(0), most.toFixed(0), (most - idle.now).toFixed(0)].join(" | ")} |`,
      );
    } catch (error) {
      throw new Error(name, { cause: error });
    } finally {
      await running.close();
    }
  }
  console.log(`${(await stat(vgg16)).size} bytes, streamed ${TIMES} times\n`);
  console.log(
    "| runtime | dense bytes | memory of the module, MB | process before, MB | at most, MB | more, MB |\n| --- | ---: | ---: | ---: | ---: | ---: |",
  );
  console.log(rows.join("\n"));
} finally {
  server.close();
  await rm(project, { recursive: true, force: true });
}
