import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeHeader } from "../../src/archive/header.js";
import { crc32c } from "../../src/reference/crc32c.js";
import { CLI, done, fails, leftovers, modelFile, normalTensor, run, start, testFolder } from "./cli.js";

const folder = testFolder();
const at = (name: string): string => path.join(folder, name);
const model = modelFile(folder);
const FILE_FAULT = 3;
const MOST_MS = 2000;

const put = (name: string, bytes: Uint8Array): string => {
  writeFileSync(at(name), bytes);
  return at(name);
};

/** A safetensors header that announces 2^42 bytes, and none of them. */
const HUGE_HEADER = `{"w":{"dtype":"F32","shape":[${2 ** 40}],"data_offsets":[0,${2 ** 42}]}}`;
const HUGE_MODEL = Buffer.concat([Buffer.of(HUGE_HEADER.length, 0, 0, 0, 0, 0, 0, 0), Buffer.from(HUGE_HEADER)]);

/** A header whose only tensor has 2^29 bytes, in a record of few. */
function hugeArchive(): Uint8Array {
  const record = 20_000;
  const entry = { name: "w", dtype: "F32", shape: [2 ** 27], byteLength: 2 ** 29, recordOffset: 0, recordByteLength: record } as const;
  return Buffer.concat([writeHeader([entry], Uint8Array.of(0), crc32c), new Uint8Array(record)]);
}

describe("a file at fault ends in one sentence with its name, exit code 3, no output, and soon:", () => {
  let archive: Buffer;
  beforeAll(async () => {
    await done(["compress", model, "-o", at("good.coppice")]);
    archive = readFileSync(at("good.coppice"));
  });

  async function refused(args: readonly string[], says: RegExp): Promise<void> {
    const out = at("never");
    const started = performance.now();
    expect(await fails(FILE_FAULT, [...args, ...(/compress/.test(args[0]) ? ["-o", out] : [])])).toMatch(says);
    expect(performance.now() - started).toBeLessThan(MOST_MS);
    expect(existsSync(out)).toBe(false);
    expect(leftovers(folder)).toEqual([]);
  }

  it("an empty model", () => refused(["compress", put("empty", Buffer.of())], /empty: TRUNCATED at byte 0/));
  it("a foreign model", () =>
    refused(["compress", put("foreign", Buffer.from("<!doctype html>"))], /foreign: MAGIC at byte 0: .*known format/));
  it("half a model", () =>
    refused(["compress", put("half", readFileSync(model).subarray(0, 9000))], /half: TRUNCATED at byte 9000.*; get the file again/));
  it("a model that claims much", () => refused(["compress", put("huge", HUGE_MODEL)], /huge: TRUNCATED at byte \d+/));

  it("a model for an archive", () => refused(["decompress", model], /net\.safetensors: MAGIC at byte \d+: not a \.coppice archive/));
  it("an empty archive", () => refused(["inspect", put("empty.coppice", Buffer.of())], /empty\.coppice: TRUNCATED at byte 0/));
  it("an archive that claims much", () =>
    refused(["decompress", put("huge.coppice", hugeArchive())], /huge\.coppice: LIMIT at byte \d+: .*--max-bytes/));
  it("an archive above --max-bytes", () =>
    refused(["inspect", at("good.coppice"), "--max-bytes", "1K"], /good\.coppice: LIMIT .*--max-bytes/));
  it("an archive with a byte too many", () =>
    refused(["decompress", put("long.coppice", Buffer.concat([archive, Buffer.of(0)]))], /long\.coppice: TRAILING at byte \d+/));
  it("archives cut off anywhere", async () => {
    for (let part = 1; part < 8; part++) {
      const cut = put("cut.coppice", archive.subarray(0, Math.floor((archive.length * part) / 8)));
      await refused(["decompress", cut], /cut\.coppice: TRUNCATED at byte \d+: .*; get the file again/);
    }
  });
  it("an archive with a flipped bit in its last record, of which nothing is written", async () => {
    const flipped = Buffer.from(archive);
    flipped[flipped.length - 9] ^= 1;
    await refused(["decompress", put("flipped.coppice", flipped)], /flipped\.coppice: CHECKSUM at byte \d+/);
  });
  it("the one of two that it is", async () => {
    await refused(["verify", put("half", readFileSync(model).subarray(0, 9000)), at("good.coppice")], /half: TRUNCATED/);
    await refused(["verify", model, put("cut.coppice", archive.subarray(0, 400))], /cut\.coppice: TRUNCATED/);
  });
  it("a stream", async () => {
    expect(await fails(FILE_FAULT, ["decompress", "-"], { stdin: Buffer.from("nothing") })).toMatch(/^standard input: MAGIC at byte 0/);
  });
});

/** Some seconds of work for one thread. */
function largeModel(name: string, mebibytes: number): string {
  const tensor = normalTensor("", [2 ** 18]);
  return modelFile(
    folder,
    name,
    Array.from({ length: mebibytes }, (_, i) => ({ ...tensor, shape: [2 ** 9, 2 ** 9], name: `layer${i}` })),
  );
}

/** The places whose space ends soon: of each, how `command` runs there. */
interface Narrow {
  readonly title: string;
  readonly code: string;
  folder(): string;
  readonly command: readonly string[];
}

const NARROW_KIB = 64;

function tinyFileSystem(): string | undefined {
  const mounted = at("tiny");
  mkdirSync(mounted);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${NARROW_KIB}k`, "tmpfs", mounted], { stdio: "ignore" });
    afterAll(() => void execFileSync("umount", [mounted]));
    return mounted;
  } catch {
    return undefined;
  }
}

const narrowPlaces: Narrow[] = [];
if (process.platform === "linux") {
  const tiny = tinyFileSystem();
  if (tiny) narrowPlaces.push({ title: "a full disk", code: "ENOSPC", folder: () => tiny, command: [process.execPath] });
  const limited = `ulimit -f ${NARROW_KIB}; exec "$0" "$@"`;
  narrowPlaces.push({
    title: "a limit on a file's size",
    code: "EFBIG",
    folder: () => folder,
    command: ["bash", "-c", limited, process.execPath],
  });
}

describe("an output is whole or not there:", () => {
  it.each(narrowPlaces)("$title leaves the old one, and nothing else", async ({ code, command: [program, ...args], ...place }) => {
    const large = largeModel("large.safetensors", 1);
    await done(["compress", large, "--preset", "exact", "-o", at("large.coppice"), "--force", "--quiet"]);
    const output = path.join(place.folder(), "narrow");
    writeFileSync(output, "old");
    const before = readdirSync(place.folder());
    for (const work of [
      ["compress", large, "--preset", "exact"],
      ["decompress", at("large.coppice")],
    ]) {
      const outcome = await run(program, [...args, CLI, ...work, "-o", output, "--force"]);
      expect(outcome).toMatchObject({ code: 4, stderr: expect.stringContaining(`(${code})`) });
      expect(outcome.stderr).toMatch(/^coppice: [^\n]+\n$/);
      expect(readFileSync(output, "utf8")).toBe("old");
      expect(readdirSync(place.folder())).toEqual(before);
    }
    if (code === "EFBIG") return;
    const piped = await run("bash", ["-c", `"$0" "$@" > "${output}"`, program, ...args, CLI, "decompress", at("large.coppice"), "-o", "-"]);
    expect(piped).toMatchObject({ code: 4, stderr: expect.stringContaining(`(${code})`) });
  });

  async function stopped(work: readonly string[], output: string, kill: NodeJS.Signals): Promise<{ code: number | null; stderr: string }> {
    const child = start(process.execPath, [CLI, ...work, "-o", output, "--force"]);
    let stderr = "";
    child.stderr?.on("data", (chunk) => (stderr += chunk));
    const ended = once(child, "close");
    while (leftovers(path.dirname(output)).length === 0 && child.exitCode === null) await pause(5);
    await pause(100);
    child.kill(kill);
    const [code] = await ended;
    return { code, stderr };
  }

  it("kill -9 leaves the old one", async () => {
    const inner = at("killed");
    mkdirSync(inner);
    const output = put("killed/net.coppice", Buffer.from("old"));
    const { code } = await stopped(["compress", largeModel("large.safetensors", 32), "--threads", "1"], output, "SIGKILL");
    expect(code).toBe(null);
    expect(readFileSync(output, "utf8")).toBe("old");
    expect(readdirSync(inner).filter((name) => name !== "net.coppice" && !/^\.net\.coppice\..*\.tmp$/.test(name))).toEqual([]);
    rmSync(inner, { recursive: true });
  });

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("%s leaves the old one and no temporary file, silently", async (signal, exitCode) => {
    const output = put("interrupted", Buffer.from("old"));
    for (const threads of ["1", "2"]) {
      const { code, stderr } = await stopped(["compress", largeModel("large.safetensors", 32), "--threads", threads], output, signal);
      expect({ code, stderr }).toEqual({ code: exitCode, stderr: "" });
      expect(readFileSync(output, "utf8")).toBe("old");
      expect(leftovers(folder)).toEqual([]);
    }
  });

  it("SIGINT stops decompress, too", async () => {
    const zeros = { ...normalTensor("", [1]), shape: [2 ** 26], data: new Uint8Array(2 ** 28) };
    const sparse = modelFile(folder, "zeros.safetensors", [{ ...zeros, name: "zeros" }]);
    await done(["compress", sparse, "-o", at("zeros.coppice"), "--preset", "exact", "--quiet"]);
    const output = put("interrupted", Buffer.from("old"));
    const { code } = await stopped(["decompress", at("zeros.coppice"), "--max-bytes", "1G"], output, "SIGINT");
    expect(code).toBe(130);
    expect(readFileSync(output, "utf8")).toBe("old");
    expect(leftovers(folder)).toEqual([]);
  });
});

describe("a pipe that closes", () => {
  it.runIf(process.platform !== "win32")("ends the work silently", async () => {
    await done(["compress", model, "-o", at("piped.coppice"), "--quiet", "--force"]);
    for (const work of [["decompress", at("piped.coppice"), "-o", "-"], ["inspect", at("piped.coppice")], ["--help"]]) {
      const script = `{ "$0" "$@"; echo "code $?" >&2; } | true`;
      const { stderr } = await run("bash", ["-c", script, process.execPath, CLI, ...work]);
      expect(stderr).toMatch(/^code (0|141)\n$/);
    }
  });
});
