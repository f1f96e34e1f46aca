import { execFile } from "node:child_process";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { describe, expect, inject, it } from "vitest";
import { type Answer, answering, Isolate } from "../../bench/isolate.js";
import { tasksFor } from "../../bench/kernels/index.js";
import { digest } from "../../bench/kernels/task.js";
import { isolateHere } from "./isolate-here.js";

const [crc] = tasksFor(["crc"]);
const [gemm] = tasksFor(["gemm"]);

describe("the isolate of JavaScript", () => {
  it("makes the inputs of a task by its name, and gives times, and what comes out", async () => {
    const isolate = isolateHere();
    await isolate.prepare(crc.name);
    expect(await isolate.time("js", 2)).toBeGreaterThan(0);
    const { js } = crc.prepare();
    js.run();
    expect(await isolate.digest()).toBe(digest(js.outputs()));
  });

  it("runs the other way too, which speaks for itself", async () => {
    const isolate = isolateHere();
    await isolate.prepare(gemm.name);
    expect(await isolate.time("other", 1)).toBeGreaterThan(0);
    expect(await isolate.note()).toMatch(/float64/);
  });

  it("runs a form on a short input before it is timed on its own, whole", async () => {
    const prepared = crc.prepare();
    const called: string[] = [];
    const js = { ...prepared.js, rehearse: () => void called.push("short"), run: () => void called.push("whole") };
    const isolate = isolateHere([{ ...crc, prepare: () => ({ ...prepared, js }) }]);
    await isolate.prepare(crc.name);
    await isolate.time("js", 2);
    const shorts = called.indexOf("whole");
    expect(shorts).toBeGreaterThanOrEqual(100);
    expect(called.slice(shorts)).toEqual(["whole", "whole"]);
  });

  it("says what it cannot do, and goes on", async () => {
    const isolate = isolateHere();
    await expect(isolate.time("js", 1)).rejects.toThrow(/nothing is prepared as js/);
    await expect(isolate.prepare("teleport")).rejects.toThrow(/no kernel is called teleport/);
    await isolate.prepare(crc.name);
    await expect(isolate.time("other", 1)).rejects.toThrow(/nothing is prepared as other/);
    expect(await isolate.time("js", 1)).toBeGreaterThan(0);
  });

  it("gives each answer to the question it belongs to", async () => {
    const later: Answer[] = [];
    const answer = answering([crc], (message) => later.push(message));
    const isolate = new Isolate({ post: answer, stop: () => undefined });
    const asked = [isolate.prepare("teleport").catch(String), isolate.prepare(crc.name), isolate.time("js", 1), isolate.digest()];
    for (const message of later) isolate.hear(message);
    expect(await Promise.all(asked)).toEqual([
      expect.stringMatching(/teleport/),
      undefined,
      expect.any(Number),
      expect.stringMatching(/^[0-9a-f]{8}$/),
    ]);
  });

  it("fails what is asked when it ends, and what is asked after", async () => {
    let stopped = 0;
    const isolate = new Isolate({ post: () => undefined, stop: () => stopped++ });
    const asked = isolate.digest();
    isolate.close();
    await expect(asked).rejects.toThrow(/is closed/);
    await expect(isolate.digest()).rejects.toThrow(/is closed/);
    expect(stopped).toBe(1);
  });
});

const bundle = (name: string): string => path.join(inject("bundles"), name);

/** Runs a program to its end, which no thread may be left to hold up. Gives what it prints. */
async function runs(program: string, ...flags: string[]): Promise<string> {
  return (await promisify(execFile)(process.execPath, [...flags, "-e", program], { timeout: 20_000 })).stdout;
}

describe("the thread that times JavaScript", () => {
  it("detaches no buffer, as a memory that grows does: V8 says so of the one and not of the other", async () => {
    const questions = tasksFor(["crc", "gemm", "gap"]).flatMap(({ name }) => [
      { kind: "prepare", task: name },
      { kind: "time", form: "js", calls: 1 },
    ]);
    const printed = await runs(
      `const { Worker } = require("node:worker_threads");
      const thread = new Worker(${JSON.stringify(bundle("bench-javascript.cjs"))});
      const questions = ${JSON.stringify(questions)};
      thread.on("message", ({ failed }) => {
        if (failed) console.log(failed);
        if (questions.length > 0) return thread.postMessage(questions.shift());
        console.log("all timed");
        thread.terminate().then(() => new WebAssembly.Memory({ initial: 1 }).grow(1));
      });
      thread.postMessage(questions.shift());`,
      "--trace-protector-invalidation",
    );
    expect(printed.split("\n").filter((line) => /timed|RangeError|ArrayBufferDetaching/.test(line))).toEqual([
      "all timed",
      expect.stringMatching(/ArrayBufferDetaching/),
    ]);
  });

  it("ends where the benchmark is told to stop", async () => {
    const printed = await runs(`import(${JSON.stringify(pathToFileURL(bundle("bench.js")).href)}).then(async ({ bench }) => {
      const stop = new AbortController();
      const onProgress = (text) => text.includes("JavaScript") && stop.abort(new Error("enough"));
      await bench({ filters: ["crc"], rounds: 1, signal: stop.signal, onProgress }).catch(({ message }) => console.log(message));
    })`);
    expect(printed).toBe("enough\n");
  });
});
