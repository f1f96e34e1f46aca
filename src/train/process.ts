import { readFileSync } from "node:fs";
import { hostname } from "node:os";

/** A process, by what tells it from others that have its number later, or in another container. */
export interface Process {
  readonly host: string;
  readonly pid: number;
  /** When it started, in ticks since the system did; undefined where the system does not say. */
  readonly start?: string;
}

export function thisProcess(): Process {
  return { host: hostname(), pid: process.pid, start: startOf(process.pid) };
}

/** Whether a process is still there. Of one that this host cannot tell it of, that is taken for granted. */
export function isRunning({ host, pid, start }: Process): boolean {
  if (host !== hostname()) return true;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  const now = startOf(pid);
  return start === undefined || now === undefined || now === start;
}

export const nameOf = ({ host, pid }: Process): string => `process ${pid}${host === hostname() ? "" : ` of ${host}`}`;

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
