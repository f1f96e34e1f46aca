import { randomBytes } from "node:crypto";
import { link, mkdir, readFile, rm, rmdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { isRunning, nameOf, type Process, thisProcess } from "./process.js";

/** Stands in a folder of checkpoints while a training writes there, and says whose it is. */
const CLAIM = "training.lock";

/** What a program left there that was killed in the middle of claiming. */
export const OF_CLAIMS: RegExp = /^training\.lock(\.[0-9a-f]{12})+$|^\.training\.lock\.[0-9a-f]{12}\.tmp$/;

/** Whose a claim is: `nonce` are twelve hex digits of this one and no other. */
type Holder = Process & { readonly nonce: string };

/** A claim that was there is gone when it is looked at, or a folder that was made: others come and go, but not so often. */
const MOST_ATTEMPTS = 100;

const claimed = new Set<string>();

/**
 * Keeps other trainings out of a folder of checkpoints, since the last to write would win; `release` lets them in. What a process of this host that is gone left does not count; of another host,
 * of another container or of before a reboot that cannot be known.
 *
 * @throws RangeError where a training that is under way has it, or it is a file
 */
export async function claimFolder(folder: string): Promise<() => Promise<void>> {
  const file = path.resolve(folder, CLAIM);
  if (claimed.has(file)) throw taken(folder, "another training of this program");
  claimed.add(file);
  const holder: Holder = { nonce: randomBytes(6).toString("hex"), ...thisProcess() };
  const own = JSON.stringify(holder);
  try {
    await acquire(file, own);
  } catch (error) {
    claimed.delete(file);
    throw error;
  }
  return async () => {
    if ((await read(file)) === own) await rm(file, { force: true }); // people may have removed it, and another training begun
    await rmdir(folder).catch(() => undefined); // checkpoints are in it
    claimed.delete(file);
  };
}

/**
 * Only who has claimed a stale claim itself, by its nonce, removes it: others that found it stale may not take away what is there by then.
 *
 * @throws RangeError where somebody has it
 */
async function acquire(file: string, own: string): Promise<void> {
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    if (await place(file, own)) return;
    const found = await read(file);
    if (found === undefined) continue;
    const holder = holderOf(found);
    if (holder === undefined || isRunning(holder)) throw taken(path.dirname(file), holder && nameOf(holder), path.basename(file));
    const right = `${file}.${holder.nonce}`;
    await acquire(right, own);
    try {
      if ((await read(file)) === found) await rm(file);
    } finally {
      await rm(right, { force: true });
    }
  }
  throw taken(path.dirname(file), "others in turn");
}

/** Writes a claim, whole from the first moment that it is there; false where one is. */
async function place(file: string, own: string): Promise<boolean> {
  const temporary = path.join(path.dirname(file), `.${CLAIM}.${randomBytes(6).toString("hex")}.tmp`);
  await mkdir(path.dirname(file), { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "EEXIST" || error.code === "ENOTDIR") throw notFolder(path.dirname(file), error.code);
    throw error;
  });
  try {
    await writeFile(temporary, own, { flag: "wx", flush: true });
    await link(temporary, file).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "EEXIST" || error.code === "ENOENT") throw error;
      return writeFile(file, own, { flag: "wx" }); // a file system without links
    });
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST" || code === "ENOENT") return false; // or the folder went as another training ended
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

async function read(file: string): Promise<string | undefined> {
  return readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
}

/** Undefined where it is no claim, or one that is only being written. */
function holderOf(text: string): Holder | undefined {
  try {
    const { nonce, host, system, pid, start } = JSON.parse(text);
    return /^[0-9a-f]{12}$/.test(nonce) && Number.isSafeInteger(pid) && pid > 0 ? { nonce, host, system, pid, start } : undefined;
  } catch {
    return undefined;
  }
}

/** @param code of making the folder: a file stands in its place, or in that of one that it is to be in */
function notFolder(folder: string, code: "EEXIST" | "ENOTDIR"): RangeError {
  return new RangeError(`checkpoint must be a folder, ${folder} is ${code === "EEXIST" ? "a file" : "within a file"}; name another`);
}

function taken(folder: string, holder = "something else", claim = CLAIM): RangeError {
  return new RangeError(
    `checkpoint must be a folder of no other training, ${folder} is written by ${holder}; name another folder, or remove ${path.join(folder, claim)} where that is over`,
  );
}
