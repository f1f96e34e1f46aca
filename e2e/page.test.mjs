// The page of examples/browser in headless Chromium: what it shows is held to what Node gives. Screenshots of each state go to e2e/output.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { bundle } from "../scripts/bundle.mjs";
import { freshWasm, ROOT } from "../scripts/wasm.mjs";
import { KEYS_OF_ONE, STROKES } from "./digits.mjs";

const OUTPUT = path.join(ROOT, "e2e/output");
const MODEL = path.join(ROOT, "examples/models/lenet-300-100.safetensors");
const EXAMPLE = path.join(ROOT, "examples/models/lenet-300-100.coppice");
const CONVOLUTIONS = path.join(ROOT, "examples/models/lenet-5.coppice");
const GOLDEN = path.join(ROOT, "test/golden/encoder-network.coppice");
const BROKEN = path.join(ROOT, "test/golden/bad/record-checksum.coppice");
const BUNDLES = `build/bundles.${process.pid}`;

const CHROMIUM = process.env["CHROMIUM"] ?? ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find((file) => existsSync(file));
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"];

let node;
let server;
let address;
let context;
let profile;
let page;
const complaints = [];

/** Starts the page's own command, and waits until it says where it serves. */
async function serve() {
  server = spawn(process.execPath, ["scripts/run.mjs", "examples/browser/serve.ts", "--port", "0"], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "inherit"],
  });
  for await (const text of server.stdout) {
    const found = /http:\S+/.exec(String(text));
    if (found) return found[0];
  }
  throw new Error("the server ended");
}

before(async () => {
  await mkdir(OUTPUT, { recursive: true });
  await freshWasm();
  await bundle(BUNDLES);
  node = await import(pathToFileURL(path.join(ROOT, BUNDLES, "index.js")).href);
  address = await serve();
  profile = await mkdtemp(path.join(tmpdir(), "coppice-page-"));
  context = await chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM,
    args: [...FLAGS, "--disable-component-update", "--disable-sync"],
    viewport: { width: 1200, height: 900 },
    acceptDownloads: true,
  });
  page = context.pages()[0] ?? (await context.newPage());
  page.setDefaultTimeout(30_000);
  page.on("pageerror", (error) => complaints.push(`${error}`));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
});

after(async () => {
  await context?.close();
  server?.kill();
  if (profile) await rm(profile, { recursive: true, force: true });
  await rm(path.join(ROOT, BUNDLES), { recursive: true, force: true });
});

/** The page as it is when it has just been opened, its example read. */
async function fresh({ width = 1200, height = 900, colorScheme = "light" } = {}) {
  await page.setViewportSize({ width, height });
  await page.emulateMedia({ colorScheme });
  await page.goto(address);
  await settled("lenet-300-100.coppice: 6 tensors.");
}

async function settled(text) {
  await page.locator("#state", { hasText: text }).waitFor();
  await page.locator("#look").waitFor();
}

async function shot(name) {
  await page.screenshot({ path: path.join(OUTPUT, `${name}.png`), fullPage: true });
}

const texts = (selector) => page.locator(selector).allTextContents();
const commas = (count) => String(count).replace(/\B(?=(\d{3})+$)/g, ",");
const short = (ratio) => `${ratio >= 99.95 ? ratio.toFixed(0) : ratio.toFixed(ratio >= 9.995 ? 1 : 2)}x`;

/** The table as objects by what its heads say. */
async function rows() {
  const heads = (await texts("#table thead th")).map((text) => text.replace("\n", " "));
  const found = [];
  for (const row of await page.locator("#table tbody tr").all()) {
    const cells = await row.locator("th, td").allTextContents();
    found.push(cells.map((cell, i) => [heads[i], cell]));
  }
  return found;
}

/** Holds everything that the page says of an archive to what Node says of the same bytes. */
async function expectReport({ file, tensors }) {
  assert.deepEqual(await texts("#bars .amount"), [`${commas(file.sourceBytes)} bytes`, `${commas(file.bytes)} bytes`]);
  assert.equal(await page.locator(".ratio").textContent(), `${short(file.ratio)} smaller, every byte counted`);
  const shown = await rows();
  assert.equal(shown.length, tensors.length);
  for (const [i, tensor] of tensors.entries()) {
    const cell = Object.fromEntries(shown[i]);
    assert.equal(cell["layer"], tensor.name);
    assert.equal(cell["bytes"], commas(tensor.bytes));
    assert.equal(cell["ratio"], short(tensor.ratio));
    assert.equal(cell["coding"], tensor.coding);
    assert.equal(Number.parseFloat(cell["density"]).toFixed(1), ((100 * tensor.survivors) / tensor.weights).toFixed(1));
    assert.equal(cell["code bits"] ?? "-", tensor.codeBits === 0 ? "-" : String(tensor.codeBits));
    for (const [head, bits] of [
      ["codes coded", ["sparse", "dense"].includes(tensor.coding) ? tensor.codeBitsHuffman : 0],
      ["gaps coded", tensor.gapBitsHuffman],
    ])
      if (bits > 0) assert.ok(Math.abs(Number(cell[head]) - bits) < 0.00501, `${head}: ${cell[head]}`);
  }
}

/** Drops a file on the page, as a reader does with the mouse. */
async function drop(file) {
  const transfer = await page.evaluateHandle(
    ({ name, base64 }) => {
      const made = new DataTransfer();
      made.items.add(new File([Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))], name));
      return made;
    },
    { name: path.basename(file), base64: (await readFile(file)).toString("base64") },
  );
  await page.dispatchEvent("body", "dragover", { dataTransfer: transfer });
  assert.ok(await page.locator("body.over").count(), "the page shows that it takes the file");
  await page.dispatchEvent("body", "drop", { dataTransfer: transfer });
}

async function draw(strokes) {
  await page.locator("#pad").scrollIntoViewIfNeeded();
  const { x, y, width, height } = await page.locator("#pad").boundingBox();
  for (const stroke of strokes) {
    for (const [i, [right, down]] of stroke.entries()) {
      await page.mouse.move(x + right * width, y + down * height, { steps: i === 0 ? 1 : 2 });
      if (i === 0) await page.mouse.down();
    }
    await page.mouse.up();
  }
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
}

async function sideways() {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

describe("the page", () => {
  beforeEach(() => fresh());

  it("opens with its example, and says of it what Node says", async () => {
    await expectReport(await node.inspect(EXAMPLE));
    await shot("1-example");
  });

  it("takes an archive that is dropped", async () => {
    await drop(GOLDEN);
    const report = await node.inspect(GOLDEN);
    await settled(`encoder-network.coppice: ${report.tensors.length} tensors.`);
    await expectReport(report);
    await shot("2-dropped");
  });

  it("shows a tensor: its centroids, its weights as they were, and a pixel for each survivor", async () => {
    const { tensors } = await node.inspect(EXAMPLE);
    for (const [i, { name, codebook, survivors, weights }] of tensors.entries()) {
      await page.locator("#table tbody button").nth(i).click();
      await page.locator("#look-name", { hasText: name }).waitFor();
      await page.locator("#pattern-text", { hasText: `${commas(survivors)} of ${commas(weights)} weights survive` }).waitFor();
      assert.equal(await page.locator("#histogram .centroid").count(), codebook);
      await page.locator("#survivors").check();
      const pixels = await page.locator("#pattern").evaluate((canvas) => {
        // By way of another canvas: reading changes how a browser keeps this one.
        const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
        copy.drawImage(canvas, 0, 0);
        const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
        return data.filter((value, at) => at % 4 === 3 && value > 0).length;
      });
      assert.equal(pixels, survivors);
    }
    await page.locator("#table tbody button").first().click();
    await page.getByLabel("values").check();
    await shot("3-values");
  });

  it("streams a large archive, and stops when it is told to", async () => {
    // Four exact tensors of 16 MB: long enough that the button can be pressed.
    const name = path.join(profile, "large.coppice");
    const tensors = Array.from({ length: 4 }, (_, i) => {
      const data = Float32Array.from({ length: 1 << 22 }, (_, at) => Math.sin(at * (i + 1)));
      return { name: `layer${i}.weight`, dtype: "F32", shape: [2048, 2048], data: new Uint8Array(data.buffer) };
    });
    await node.compressFile(tensors, name, { recipe: { rules: [], contexts: "none" } });
    await page.locator("#file").setInputFiles(name);
    await page.locator("#table tbody tr").nth(0).waitFor();
    assert.ok(await page.locator("#progress").isVisible());
    await shot("4-streaming");
    await page.locator("#stop").click();
    await page.locator("#state", { hasText: "Stopped." }).waitFor();
    assert.ok(!(await page.locator("#progress").isVisible()));
    // What comes after it is not disturbed.
    await page.locator("#example-archive").click();
    await settled("lenet-300-100.coppice: 6 tensors.");
  });

  it("says what is wrong with a file, and where", async () => {
    await page.locator("#file").setInputFiles(BROKEN);
    const alert = page.getByRole("alert");
    await alert.filter({ hasText: /CHECKSUM at byte \d+/ }).waitFor();
    const { code, offset } = await node.inspect(BROKEN).catch((error) => error);
    assert.equal(await alert.textContent(), `${path.basename(BROKEN)}: ${code} at byte ${offset}: in a block`);
    await shot("5-broken");
  });

  it("says of a file of another format which it reads, and of the drawing area which network goes on reading", async () => {
    const reader = page.locator("#reader");
    const used = await reader.textContent();
    assert.match(used, /^Read by the 784–300–100–10 network out of lenet-300-100\.coppice, /);
    await page.locator("#file").setInputFiles(path.join(ROOT, "README.md"));
    const alert = page.getByRole("alert");
    await alert.filter({ hasText: /^README\.md: MAGIC at byte 0: .*\(coppice, safetensors\); the command line reads more$/ }).waitFor();
    assert.equal(await reader.textContent(), `README.md was refused. Still r${used.slice(1)}`);
    await draw(STROKES[3]);
    assert.equal(await page.locator("#digit").textContent(), "3");
    await shot("5-refused");
    await page.locator("#file").setInputFiles(BROKEN);
    await alert.filter({ hasText: "CHECKSUM" }).waitFor();
    assert.equal(await reader.textContent(), `${path.basename(BROKEN)} was refused. Still r${used.slice(1)}`);
    await drop(GOLDEN);
    await settled("encoder-network.coppice: ");
    assert.equal(await reader.textContent(), `encoder-network.coppice holds no network that reads digits. Still r${used.slice(1)}`);
    await page.locator("#example-archive").click();
    await settled("lenet-300-100.coppice: 6 tensors.");
    assert.equal(await reader.textContent(), used);
  });

  it("has no bars for digits before something is drawn, nor after it is cleared", async () => {
    assert.ok(await page.locator("#blank").isVisible());
    assert.ok(!(await page.locator("#likely").isVisible()));
    await draw(STROKES[3]);
    assert.ok(!(await page.locator("#blank").isVisible()));
    assert.equal(await page.locator("#likely .bar").count(), 10);
    assert.ok(await page.locator("#likely").isVisible());
    await page.locator("#clear").click();
    await page.locator("#blank").waitFor();
    assert.ok(!(await page.locator("#likely").isVisible()));
  });

  describe("compresses in its worker to the bytes that Node makes", () => {
    const cases = [
      { preset: "default", options: { preset: "default" } },
      { preset: "paper", options: { preset: "paper" } },
      { preset: "exact", options: { preset: "exact" } },
      { preset: "own", own: { bits: 3, sparsity: 85 } },
    ];
    for (const { preset, options, own } of cases) {
      it(own ? `${own.bits} bits, ${own.sparsity} % pruned` : preset, async () => {
        await page.locator("#file").setInputFiles(MODEL);
        await page.locator("#state", { hasText: "lenet-300-100.safetensors: 6 tensors, not compressed yet." }).waitFor();
        await page.locator("#look").waitFor();
        assert.equal(await page.locator("#histogram .before").count(), 1);
        if (preset === "default") await shot("6-model");
        await page.locator(`input[name=preset][value=${preset}]`).check();
        if (own) {
          await page.locator("#bits").fill(String(own.bits));
          await page.locator("#sparsity").fill(String(own.sparsity));
        }
        await page.locator("#start").click();
        await settled("lenet-300-100.safetensors.coppice: 6 tensors.");
        const recipe = own
          ? node.overrideRecipe(node.presetRecipe("default"), { bits: own.bits, prune: { sparsity: own.sparsity / 100 } })
          : undefined;
        const { archive, report } = await node.compress(await readFile(MODEL), options ?? { recipe });
        await expectReport(report);
        const downloading = page.waitForEvent("download");
        await page.locator("#save").click();
        const download = await downloading;
        assert.equal(download.suggestedFilename(), "lenet-300-100.safetensors.coppice");
        assert.ok(Buffer.from(archive).equals(await readFile(await download.path())), "the same bytes");
        await page
          .locator(preset === "exact" ? "#histogram .after" : "#histogram .centroid")
          .first()
          .waitFor({ state: "attached" });
        assert.equal(await page.locator("#histogram .before").count(), 1);
        await shot(`7-compressed-${preset}`);
      });
    }
  });

  it("reads every digit that is drawn", async () => {
    const read = [];
    for (const [digit, strokes] of STROKES.entries()) {
      await page.locator("#clear").click();
      await page.locator("#digit", { hasText: /^$/ }).waitFor({ state: "attached" });
      await draw(strokes);
      read.push(Number(await page.locator("#digit").textContent()));
      if (digit % 4 === 0) await page.locator("#digits").screenshot({ path: path.join(OUTPUT, `8-digit-${digit}.png`) });
    }
    assert.deepEqual(read, [...STROKES.keys()]);
  });

  it("reads every digit that is drawn with LeNet-5, too, straight from its archive", async () => {
    await page.locator("#file").setInputFiles(CONVOLUTIONS);
    await settled("lenet-5.coppice: 8 tensors.");
    assert.match(
      await page.locator("#reader").textContent(),
      /^Read by the 28×28–20–50–500–10 network out of lenet-5\.coppice, with the [\d,]+ weights /,
    );
    const read = [];
    for (const strokes of STROKES) {
      await page.locator("#clear").click();
      await page.locator("#digit", { hasText: /^$/ }).waitFor({ state: "attached" });
      await draw(strokes);
      read.push(Number(await page.locator("#digit").textContent()));
    }
    assert.deepEqual(read, [...STROKES.keys()]);
    await shot("8-lenet-5");
  });

  it("measures WebAssembly against JavaScript", { timeout: 240_000 }, async () => {
    await page.locator("#rounds").fill("2");
    await page.locator("#run").click();
    await page.locator("#bench-step", { hasText: "warms up" }).waitFor();
    await page.locator("#bench-state", { hasText: "Best of 2 rounds" }).waitFor({ timeout: 200_000 });
    assert.equal(await page.locator(".kernel").count(), 5);
    for (const kernel of await page.locator(".kernel").all()) {
      const forms = await kernel.locator(".bar > span:first-child").allTextContents();
      for (const form of ["WASM SIMD", "WASM scalar", "JavaScript"]) assert.ok(forms.includes(form), `${forms}`);
      assert.match(await kernel.locator("h3 span").textContent(), /^[\d.,]+x JavaScript$/);
      const widths = await kernel.locator(".fill").evaluateAll((fills) => fills.map((fill) => Number.parseFloat(fill.style.width)));
      assert.equal(Math.max(...widths), 100);
      assert.equal(await kernel.locator("p").count(), 0, "no form was refused");
    }
    await shot("9-bench");
  });

  it("stops measuring when it is told to", async () => {
    await page.locator("#run").click();
    await page.locator("#bench-stop").click();
    assert.equal(await page.locator("#bench-state").textContent(), "Stopped.");
    assert.ok(await page.locator("#run").isEnabled());
  });
});

describe("by keyboard alone", () => {
  beforeEach(() => fresh());

  /** What has the focus. */
  const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.name || document.activeElement.textContent);

  /** Presses Tab until `id` has the focus; gives all that had it on the way. */
  async function tabTo(id) {
    const way = [];
    for (let i = 0; i < 60; i++) {
      await page.keyboard.press("Tab");
      way.push(await focused());
      const outlined = await page.evaluate(() => {
        const visible = (node) => getComputedStyle(node).outlineStyle !== "none";
        return visible(document.activeElement) || visible(document.activeElement.parentElement);
      });
      assert.ok(outlined, `${way.at(-1)} shows that it has the focus`);
      if (way.at(-1) === id) return way;
    }
    throw new Error(`Tab never came to ${id}: ${way}`);
  }

  it("goes from top to bottom", async () => {
    const way = await tabTo("run");
    const names = ["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias", "fc3.weight", "fc3.bias"];
    const wanted = [
      "file",
      "example-archive",
      "example-convolutions",
      "example-model",
      ...names,
      "survivors",
      "pad",
      "clear",
      "kernels",
      "rounds",
      "run",
    ];
    // A scroller takes the focus too where its browser has it so.
    assert.deepEqual(
      way.filter((name) => wanted.includes(name)),
      wanted,
    );
  });

  it("compresses the example model", async () => {
    await tabTo("example-model");
    await page.keyboard.press("Enter");
    await settled("not compressed yet");
    await tabTo("preset");
    await page.keyboard.press("ArrowDown");
    assert.equal(await page.locator("input[name=preset]:checked").inputValue(), "paper");
    await tabTo("start");
    await page.keyboard.press("Enter");
    await settled("lenet-300-100.safetensors.coppice: 6 tensors.");
    await tabTo("fc3.weight");
    await page.keyboard.press("Enter");
    await page.locator("#look-name", { hasText: "fc3.weight" }).waitFor();
    await page.locator("#table button[aria-pressed=true]", { hasText: "fc3.weight" }).waitFor();
  });

  it("draws a digit with the arrow keys", async () => {
    await tabTo("pad");
    for (const key of KEYS_OF_ONE) await page.keyboard.press(key);
    await page.locator("#digit", { hasText: "1" }).waitFor();
    await page.locator("#digits").screenshot({ path: path.join(OUTPUT, "10-keyboard.png") });
    await page.keyboard.press("Delete");
    await page.locator("#digit", { hasText: /^$/ }).waitFor({ state: "attached" });
  });

  it("has a name for everything that can be worked", async () => {
    await page.locator("#example-model").click();
    await settled("not compressed yet");
    const nameless = await page.evaluate(() =>
      [...document.querySelectorAll("button, input, select, a[href], canvas, progress")]
        .filter((node) => node.checkVisibility())
        .filter((node) => !(node.labels?.length || node.textContent.trim() || node.getAttribute("aria-label")))
        .map((node) => node.outerHTML),
    );
    assert.deepEqual(nameless, []);
  });
});

describe("on a phone", () => {
  for (const colorScheme of ["light", "dark"]) {
    it(`fits into 360 pixels, ${colorScheme}`, async () => {
      await fresh({ width: 360, height: 740, colorScheme });
      assert.equal(await sideways(), 0);
      await draw(STROKES[3]);
      assert.equal(await page.locator("#digit").textContent(), "3");
      assert.equal(await sideways(), 0);
      await shot(`11-phone-${colorScheme}`);
      await page.locator("#example-model").click();
      await settled("not compressed yet");
      await page.locator("input[value=own]").check();
      assert.equal(await sideways(), 0);
      await page.locator("#start").click();
      await settled("lenet-300-100.safetensors.coppice: 6 tensors.");
      await page.locator("#histogram .centroid").first().waitFor({ state: "attached" });
      assert.equal(await sideways(), 0);
      await shot(`12-phone-compressed-${colorScheme}`);
    });
  }

  it("shows by a shadow that the table scrolls, until its end is there", async () => {
    await fresh({ width: 360, height: 740 });
    const wide = page.locator("#tensors .wide");
    /** The upper right corner, where no text is. */
    const corner = async () => {
      await wide.scrollIntoViewIfNeeded();
      const { x, y, width } = await wide.boundingBox();
      return (await page.screenshot({ clip: { x: x + width - 2, y: y + 1, width: 1, height: 1 } })).toString("base64");
    };
    const shadowed = await corner();
    const most = await wide.evaluate((node) => node.scrollWidth - node.clientWidth);
    assert.ok(most > 0, "the table is wider than the phone");
    await wide.evaluate((node) => void (node.scrollLeft = node.scrollWidth));
    const plain = await corner();
    assert.notEqual(shadowed, plain);
    await wide.evaluate((node) => void (node.scrollLeft = 0));
    assert.equal(await corner(), shadowed);
    // Where all of it is to be seen there is none.
    await page.setViewportSize({ width: 1200, height: 740 });
    assert.equal(await wide.evaluate((node) => node.scrollWidth - node.clientWidth), 0);
    assert.equal(await corner(), plain);
  });

  it("reads a finger", async () => {
    await fresh({ width: 360, height: 740 });
    await page.locator("#pad").scrollIntoViewIfNeeded();
    const session = await context.newCDPSession(page);
    const { x, y, width, height } = await page.locator("#pad").boundingBox();
    const touch = (type, points) => session.send("Input.dispatchTouchEvent", { type, touchPoints: points });
    const scrolled = await page.evaluate(() => scrollY);
    for (const stroke of STROKES[7]) {
      for (const [i, [right, down]] of stroke.entries())
        await touch(i === 0 ? "touchStart" : "touchMove", [{ x: x + right * width, y: y + down * height }]);
      await touch("touchEnd", []);
    }
    await page.locator("#digit", { hasText: "7" }).waitFor();
    assert.equal(await page.evaluate(() => scrollY), scrolled, "drawing does not scroll the page");
    await session.detach();
  });
});

describe("in the dark", () => {
  it("has colours of its own", async () => {
    await fresh({ colorScheme: "dark" });
    const [red] = await page.evaluate(() => getComputedStyle(document.body).backgroundColor.match(/\d+/g));
    assert.ok(Number(red) < 60);
    await draw(STROKES[5]);
    await shot("13-dark");
  });
});

it("complained of nothing", () => assert.deepEqual(complaints, []));
