import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it, vi } from "vitest";
import { removeCheckpoints } from "../../src/train/index.js";
import { type Process, thisProcess } from "../../src/train/process.js";
import { testFolder } from "../cli/cli.js";

const root = testFolder();

type Claim = typeof import("../../src/train/claim.js");

/** The module again, as another process has it: no copy knows what the others claim. */
async function copy(): Promise<Claim> {
  vi.resetModules();
  return import("../../src/train/claim.js");
}

const { claimFolder } = await copy();

/** A process that is gone. */
function gone(): Process {
  return { ...thisProcess(), pid: spawnSync(process.execPath, ["-e", ""]).pid };
}

let claims = 0;
const nonce = (): string => (++claims).toString(16).padStart(12, "0");

/** A folder with a claim in it. */
function claimedBy(name: string, text: string): { readonly folder: string; readonly lock: string } {
  const folder = path.join(root, name);
  const lock = path.join(folder, "training.lock");
  mkdirSync(folder, { recursive: true });
  writeFileSync(lock, text);
  return { folder, lock };
}

describe("a claim of a folder", () => {
  it("is one process's until it is released, and then leaves nothing", async () => {
    const folder = path.join(root, "new");
    const release = await claimFolder(folder);
    const { claimFolder: other } = await copy();
    await expect(other(folder)).rejects.toThrow(`${folder} is written by process ${process.pid}; name another folder, or remove`);
    await expect(claimFolder(folder)).rejects.toThrow("another training of this program");
    expect(readdirSync(folder)).toEqual(["training.lock"]);
    await release();
    expect(existsSync(folder)).toBe(false);
    await (await other(folder))();
  });

  it("of a process that is gone goes to exactly one of many that find it at once", async () => {
    const copies = await Promise.all(Array.from({ length: 6 }, copy));
    const dead = gone();
    for (let round = 0; round < 20; round++) {
      const { folder, lock } = claimedBy("race", JSON.stringify({ nonce: nonce(), ...dead }));
      // Where it may be taken over for the second time, too.
      if (round % 2 === 1)
        writeFileSync(`${lock}.${JSON.parse(readFileSync(lock, "utf8")).nonce}`, JSON.stringify({ nonce: nonce(), ...dead }));
      const found = await Promise.allSettled(copies.map((one) => one.claimFolder(folder)));
      const winners = found.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
      expect(winners, `round ${round}`).toHaveLength(1);
      for (const one of found)
        if (one.status === "rejected") expect(one.reason.message).toMatch(/^checkpoint must be a folder of no other/);
      expect(readdirSync(folder), `round ${round}`).toEqual(["training.lock"]);
      await winners[0]();
      expect(existsSync(folder)).toBe(false);
    }
  });

  // Where the system says when a process started.
  it.skipIf(thisProcess().start === undefined)("of a process whose number another one has by now does not count", async () => {
    const { start } = thisProcess();
    const { folder } = claimedBy("recycled", JSON.stringify({ nonce: nonce(), ...thisProcess(), start: `${Number(start) - 1}` }));
    await (await claimFolder(folder))();
  });

  it.each([
    ["a process that is there", () => ({ ...thisProcess(), pid: process.ppid, start: undefined }), `process ${process.ppid};`],
    ["a process of another host, where its number says nothing", () => ({ ...gone(), host: "elsewhere" }), "of elsewhere;"],
    ["a process in another namespace of numbers", () => ({ ...gone(), system: "boot pid:[1]" }), "of another container or boot of "],
  ])("of %s counts", async (title, holder, says) => {
    const { folder, lock } = claimedBy(title, JSON.stringify({ nonce: nonce(), ...holder() }));
    const before = readFileSync(lock, "utf8");
    await expect(claimFolder(folder)).rejects.toThrow(says);
    await expect(removeCheckpoints(folder)).rejects.toThrow(says);
    expect(readFileSync(lock, "utf8")).toBe(before);
    expect(readdirSync(folder)).toEqual(["training.lock"]);
  });

  it.each(["", "0\n", "{}", '{"nonce":"../../x","host":"a","pid":1}'])("that is none, or not yet, is left to people: %j", async (text) => {
    const { folder, lock } = claimedBy("odd", text);
    await expect(claimFolder(folder)).rejects.toThrow(
      `is written by something else; name another folder, or remove ${lock} where that is over`,
    );
    expect(readFileSync(lock, "utf8")).toBe(text);
  });

  it("is refused where that is a file, or within one", async () => {
    const file = path.join(root, "file");
    writeFileSync(file, "mine");
    await expect(claimFolder(file)).rejects.toThrow(new RangeError(`checkpoint must be a folder, ${file} is a file; name another`));
    const within = path.join(file, "in");
    await expect(claimFolder(within)).rejects.toThrow(`checkpoint must be a folder, ${within} is within a file; name another`);
    expect(readFileSync(file, "utf8")).toBe("mine");
  });

  it("is not taken from another that has it by now", async () => {
    const folder = path.join(root, "removed");
    const release = await claimFolder(folder);
    const { lock } = claimedBy("removed", JSON.stringify({ nonce: nonce(), ...thisProcess() }));
    const others = readFileSync(lock, "utf8");
    await release();
    expect(readFileSync(lock, "utf8")).toBe(others);
  });

  // Where the system has such a name.
  it.skipIf(thisProcess().system === undefined)("names the boot and the namespace", () => {
    expect(thisProcess().system).toMatch(/^[0-9a-f-]{36} pid:\[\d+\]$/);
  });

  it("that was only half made is cleared away with the checkpoints", async () => {
    const { folder } = claimedBy("half", JSON.stringify({ nonce: nonce(), ...gone() }));
    for (const name of [".training.lock.0123456789ab.tmp", "training.lock.0123456789ab"]) writeFileSync(path.join(folder, name), "");
    await removeCheckpoints(folder);
    expect(existsSync(folder)).toBe(false);
  });
});
