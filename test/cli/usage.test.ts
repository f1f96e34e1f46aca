import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { coppice, done, fails, modelFile, testFolder } from "./cli.js";

const folder = testFolder();
const model = modelFile(folder);
const archive = path.join(folder, "net.coppice");
const USAGE = 2;

const write = (name: string, text: string): string => {
  const file = path.join(folder, name);
  writeFileSync(file, text);
  return file;
};

describe("a usage error is one sentence, and exit code 2:", () => {
  const compress = (...args: string[]): string[] => ["compress", model, "-o", path.join(folder, "never"), ...args];
  const cases: readonly (readonly [title: string, args: readonly string[], says: RegExp])[] = [
    ["an unknown command", ["comprss"], /unknown command 'comprss'.*compress/],
    ["an unknown option", ["compress", "--fast"], /unknown option '--fast'.*--help/],
    ["a missing argument", ["compress"], /missing required argument 'model'/],
    ["an argument too many", ["inspect", "a", "b"], /too many arguments/],
    ["an unknown preset", compress("--preset", "tiny"), /exact, default, paper/],
    ["an unknown start of k-means", compress("--init", "zeros"), /linear, density, random/],
    ["bits that are no number", compress("--bits", "five"), /--bits.*must be a number/],
    ["too many bits", compress("--bits", "9"), /--bits must be in \[1, 8\], got 9/],
    ["a sparsity above one", compress("--sparsity", "90"), /--sparsity must be in \[0, 1\], got 90/],
    ["a negative threshold", compress("--threshold", "-1"), /--threshold must be in/],
    ["no thread", compress("--threads", "0"), /--threads must be in/],
    ["half a thread", compress("--threads", "1.5"), /--threads must be an integer/],
    ["two ways to prune", compress("--sparsity", "0.5", "--quality", "1"), /--sparsity.*cannot be used with.*--quality/],
    ["a preset and a recipe", compress("--preset", "paper", "--recipe", "r.json"), /--preset.*cannot be used with.*--recipe/],
    ["too many bits of mantissa", compress("--round", "23"), /--round must be in \[1, 22\], got 23/],
    ["bits of mantissa that are no integer", compress("--round", "7.5"), /--round must be an integer/],
    ["a rounding beside a sharing", compress("--round", "8", "--bits", "4"), /--round.*--bits/],
    ["a rounding beside an objective", compress("--round", "8", "--objective", "rate"), /--round.*--objective/],
    ["a rounding for what is to be exact", compress("--preset", "exact", "--round", "8"), /so --round cannot/],
    ["bits for what is to be exact", compress("--preset", "exact", "--bits", "4"), /--preset exact keeps every bit, so --bits cannot/],
    ["pruning for what is to be exact", compress("--preset", "exact", "--quality", "1"), /--preset exact.*--quality/],
    ["a ceiling that is no number of bytes", ["inspect", model, "--max-bytes", "much"], /--max-bytes.*number of bytes/],
    ["a model that is not there", ["compress", path.join(folder, "nothing")], /nothing: there is no such file/],
    ["an archive that is not there", ["decompress", path.join(folder, "nothing.coppice")], /nothing\.coppice: there is no such file/],
    ["a folder for a model", ["compress", folder], /is a folder; name a file/],
    ["a folder for an archive's place", ["compress", model, "-o", folder], /must name a regular file/],
    ["JSON and archive on one stream", ["compress", model, "-o", "-", "--json"], /--json.*-o/],
    ["JSON and model on one stream", ["decompress", "-", "--json"], /--json.*-o/],
    ["standard input twice", ["verify", "-", "-"], /only one of model and archive/],
    ["an output that is the input", ["compress", model, "-o", model, "--force"], /take the place of what is read/],
    ["an archive without its ending", ["decompress", model], /does not end in \.coppice; name the output with -o/],
    ["a recipe that is not there", compress("--recipe", path.join(folder, "nothing.json")), /there is no such recipe/],
    [
      "a recipe with a wrong key",
      compress("--recipe", write("key.json", '{"rules":[{"share":{"bit":3}}]}')),
      /key\.json: recipe\.rules\[0\]\.share.*"bit"/,
    ],
    [
      "a recipe with a wrong number",
      compress("--recipe", write("number.json", '{"rules":[{"share":{"bits":0}}]}')),
      /rules\[0\]\.share\.bits must be in/,
    ],
    [
      "a recipe that is no JSON",
      compress("--recipe", write("comma.json", '{"rules": [\n  {},\n]}')),
      /comma\.json: this is not JSON, at line 3, column 1/,
    ],
    [
      "a recipe that is cut off",
      compress("--recipe", write("cut.json", '{"rules": [')),
      /cut\.json: the JSON ends too early, at line 1, column 12/,
    ],
    ["a scale that is no number", ["eval", model, model, "--images", model, "--scale", "1/2/3"], /--scale.*1\/256/],
    ["a mean that is no list", ["eval", model, model, "--images", model, "--mean", "0.5,"], /--mean.*must be a number/],
    ["a mean of no images", ["eval", model, model, "--mean", "0.5"], /--mean is for images; name them with --images/],
    ["a shape without a name", ["eval", model, model, "--shape", "1,3"], /--shape.*image=1,3,224,224/],
    ["a state without an input", ["eval", model, model, "--state", "stateN="], /--state.*stateN=state/],
    ["a shape given twice", ["eval", model, model, "--shape", "x=1", "--shape", "x=2"], /--shape.*x is given twice/],
    ["inputs and images", ["eval", model, model, "--inputs", model, "--images", model], /--inputs.*cannot be used with.*--images/],
    ["images and random ones", ["eval", model, model, "--images", model, "--random", "3"], /--images.*cannot be used with.*--random/],
    ["no random sample", ["eval", model, model, "--random", "0"], /--random must be in/],
    ["labels of random inputs", ["eval", model, model, "--labels", model], /--labels is for --images or --inputs/],
    ["standard input for two files", ["eval", "-", model, "--inputs", "-"], /only one file can be standard input/],
    ["images that are not there", ["eval", model, model, "--images", path.join(folder, "nothing")], /nothing: there is no such file/],
    [
      "options that no rule of a recipe takes",
      compress("--recipe", write("empty.json", '{"rules":[]}'), "--bits", "3"),
      /recipe must have a rule/,
    ],
  ];

  it.each(cases)("%s", async (_, args, says) => {
    expect(await fails(USAGE, args)).toMatch(says);
    expect(existsSync(path.join(folder, "never"))).toBe(false);
  });

  it("no command, which shows the help", async () => {
    const { code, stdout, stderr } = await coppice([]);
    expect(code).toBe(USAGE);
    expect(stdout.toString()).toBe("");
    expect(stderr).toContain("Usage: coppice");
  });
});

describe("what is there", () => {
  it("is overwritten with --force alone, and the link to it stays", async () => {
    writeFileSync(archive, "old");
    expect(await fails(USAGE, ["compress", model, "-o", archive])).toMatch(/net\.coppice exists already; --force overwrites it/);
    expect(readFileSync(archive, "utf8")).toBe("old");
    const link = path.join(folder, "link.coppice");
    symlinkSync("net.coppice", link);
    await done(["compress", model, "-o", link, "--force"]);
    expect(readFileSync(archive, "latin1")).not.toBe("old");

    const regrown = path.join(folder, "net");
    writeFileSync(regrown, "old");
    expect(await fails(USAGE, ["decompress", archive])).toMatch(/net exists already; --force overwrites it/);
    expect(readFileSync(regrown, "utf8")).toBe("old");
    await done(["decompress", archive, "--force"]);
    expect(readFileSync(regrown).length).toBe(readFileSync(model).length);
  });

  it.runIf(process.platform !== "win32")("keeps its mode bits", async () => {
    for (const mode of [0o600, 0o666, 0o440]) {
      const secret = path.join(folder, `mode-${mode}`);
      writeFileSync(secret, "old");
      chmodSync(secret, mode);
      await done(["compress", model, "-o", secret, "--force"]);
      expect(statSync(secret).mode & 0o777).toBe(mode);
      expect(statSync(secret).size).toBeGreaterThan(100);
    }
  });

  it("makes the folders that an output names", async () => {
    await done(["compress", model, "-o", path.join(folder, "a/b/net.coppice")]);
    expect(existsSync(path.join(folder, "a/b/net.coppice"))).toBe(true);
  });
});

describe("COPPICE_DEBUG", () => {
  it("alone shows a stack trace", async () => {
    const { code, stderr } = await coppice(["compress", path.join(folder, "nothing")], { env: { COPPICE_DEBUG: "1" } });
    expect(code).toBe(USAGE);
    expect(stderr).toMatch(/\n {4}at /);
  });
});

describe("the system's errors", () => {
  it("are exit code 4, and name the file", async () => {
    mkdirSync(path.join(folder, "a"), { recursive: true });
    const below = path.join(model, "net.coppice");
    expect(await fails(4, ["compress", model, "-o", below])).toMatch(/net\.(safetensors|coppice).*\((ENOTDIR|EEXIST)\)/);
  });

  it.runIf(process.platform === "linux")("are told by a device too", async () => {
    expect(await fails(4, ["compress", model, "-o", "/dev/full"])).toMatch(/no space left.*\(ENOSPC\); free some space/);
  });
});
