import { cpus, release, type } from "node:os";
import type { Machine } from "../report.js";

/** @param native the compiler, or why there is none */
export function thisMachine(native: string): Machine {
  const all = cpus();
  return {
    cpu: all[0]?.model.trim() ?? "unknown processor",
    cores: all.length,
    system: `${type()} ${release()} ${process.arch}`,
    runtime: `node ${process.version}, V8 ${process.versions.v8}`,
    native,
  };
}
