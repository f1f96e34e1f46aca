import { mkdir, readFile, rm, rmdir, writeFile } from "node:fs/promises";
import path from "node:path";

/** Stands in a folder of checkpoints while a training writes there, and holds the number of its process. */
export const CLAIM = "training.lock";

const claimed = new Set<string>();

/**
 * Keeps other trainings out of a folder of checkpoints, since the last to write would win; `release` lets them in. What a process that is gone left does not count.
 *
 * @throws RangeError where a training that is under way has it
 */
export async function claimFolder(folder: string): Promise<() => Promise<void>> {
  await mkdir(folder, { recursive: true });
  const file = path.resolve(folder, CLAIM);
  if (claimed.has(file)) throw taken(folder, "another training of this program");
  claimed.add(file);
  try {
    await writeClaim(folder, file);
  } catch (error) {
    claimed.delete(file);
    throw error;
  }
  return async () => {
    await rm(file, { force: true });
    await rmdir(folder).catch(() => undefined); // checkpoints are in it
    claimed.delete(file);
  };
}

async function writeClaim(folder: string, file: string): Promise<void> {
  const write = (): Promise<void> => writeFile(file, `${process.pid}\n`, { flag: "wx" });
  try {
    await write();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    const holder = Number(await readFile(file, "utf8"));
    if (isRunning(holder)) throw taken(folder, `process ${holder}`);
    await rm(file, { force: true });
    await write();
  }
}

/** Whether another process of that number is there: of this process, every claim is known. */
function isRunning(id: number): boolean {
  if (!Number.isSafeInteger(id) || id <= 0 || id === process.pid) return false;
  try {
    process.kill(id, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function taken(folder: string, holder: string): RangeError {
  return new RangeError(
    `checkpoint must be a folder of no other training, ${folder} is written by ${holder}; name another folder, or remove ${path.join(folder, CLAIM)} where that is over`,
  );
}
