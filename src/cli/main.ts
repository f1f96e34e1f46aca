#!/usr/bin/env node
import { writeSync } from "node:fs";
import metadata from "../../package.json" with { type: "json" };
import { hearStreamErrors, PIPE_CLOSED, writeOut } from "./stdio.js";

// Shells ask for the version of what they start, and often: it is told before the command line's parser is loaded.

async function main(): Promise<number> {
  const [first, ...more] = process.argv.slice(2);
  if ((first !== "--version" && first !== "-V") || more.length > 0) return (await import("./run.js")).run();
  try {
    await writeOut(`${metadata.version}\n`);
    return 0;
  } catch (error) {
    return (await import("./run.js")).fail(error);
  }
}

const SYSTEM = 4;

/** What no command could tell any more: nobody listens, or a part of the program is not there. */
function lastWord(error: NodeJS.ErrnoException): number {
  if (error.code === "EPIPE" || error.code === "ERR_STREAM_DESTROYED") return PIPE_CLOSED;
  try {
    writeSync(process.stderr.fd, `coppice: ${error.message}\n`);
  } catch {
    // Not even that.
  }
  return SYSTEM;
}

hearStreamErrors();
process.exit(await main().catch(lastWord));
