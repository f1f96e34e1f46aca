import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** A process, by what tells it from others that have its number later, or in another container. */
export interface Process {
  readonly host: string;
  /** The boot of its kernel and the namespace of its number, which containers of one host name do not share; undefined where the system has no such. */
  readonly system?: string;
  readonly pid: number;
  /** When it started, in ticks since the system did; undefined where the system does not say. */
  readonly start?: string;
}

export function thisProcess(): Process {
  return { host: hostname(), system: systemOf(), pid: process.pid, start: startOf(process.pid) };
}

/** Whether a process is still there. Of one whose number says nothing here, that is taken for granted. */
export function isRunning({ host, system, pid, start }: Process): boolean {
  if (host !== hostname() || system !== systemOf()) return true;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  const now = startOf(pid);
  return start === undefined || now === undefined || now === start;
}

export function nameOf({ host, system, pid }: Process): string {
  if (host !== hostname()) return `process ${pid} of ${host}`;
  return `process ${pid}${system === systemOf() ? "" : ` of another container or boot of ${host}`}`;
}

function systemOf(): string | undefined {
  try {
    return `${readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return undefined;
  }
}

/** Fields 3 and 22 of /proc/PID/stat, behind a name that may hold anything: a zombie, which ended and is only listed still, has no start. */
function startOf(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? "" : fields[19];
  } catch {
    return undefined;
  }
}
