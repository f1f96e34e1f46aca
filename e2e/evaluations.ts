import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { dataFile } from "../test/data.ts";
import { writeFrames } from "./frames.ts";
import { E2E, ROOT } from "./paths.ts";

const run = promisify(execFile);

/** What `coppice eval --json` prints. A difference without bounds is left out. */
export interface Evaluation {
  readonly ok: boolean;
  readonly samples: number;
  readonly outputs: readonly {
    readonly name: string;
    readonly identical: boolean;
    readonly maxAbs?: number;
    readonly meanAbs?: number;
    readonly cosine?: number;
    readonly top1?: { readonly samples: number; readonly agreed: number };
  }[];
  readonly accuracy?: { readonly samples: number; readonly before: number; readonly after: number };
}

/** A published model, and what it is run on: options of `coppice eval`. */
export interface Case {
  readonly name: string;
  readonly model: string;
  readonly args: readonly string[];
}

const DIGITS = ["mnist/t10k-images-idx3-ubyte.gz", "mnist/t10k-labels-idx1-ubyte.gz"] as const;
const digits = (...more: readonly string[]): string[] | undefined =>
  given(DIGITS, ([images, labels]) => ["--images", images, "--labels", labels, ...more]);

/** `use` of the files' paths, where all of them are there. */
function given<T>(files: readonly string[], use: (paths: string[]) => T): T | undefined {
  const paths = files.map(dataFile);
  return paths.includes(undefined) ? undefined : use(paths as string[]);
}

const NORMALISED = ["--mean", "0.485,0.456,0.406", "--std", "0.229,0.224,0.225"];

/** A folder that goes with the process. */
const folder = mkdtempSync(path.join(tmpdir(), "coppice-eval-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));

/** The cases by name, as far as their data is there. */
export async function cases(): Promise<ReadonlyMap<string, Case>> {
  const frames = path.join(folder, "frames.safetensors");
  const wav = dataFile("silero-vad/test.wav");
  if (wav) await writeFrames(wav, frames);
  const lenets = ["lenet-300-100.dense", "lenet-5.dense", "lenet-300-100.dns-sparse", "lenet-5.dns-sparse"];
  const all: readonly (readonly [name: string, model: string, args: readonly string[] | undefined])[] = [
    ...lenets.map((name) => [name, `lenet/${name}.onnx`, digits("--scale", "1/256")] as const),
    ...["resnet20", "resnet32"].map(
      (name) =>
        [
          name,
          `resnet-cifar10/${name}-cifar10.onnx`,
          given(["cifar10/test_first1000.bin"], ([images]) => ["--images", images, ...NORMALISED]),
        ] as const,
    ),
    ["mnist-cntk", "mnist-cntk-onnx/mnist.onnx", digits()],
    [
      "ultraface",
      "ultraface/version-RFB-320.onnx",
      given(["ultraface/version-RFB-320.reference_io.npz"], ([arrays]) => ["--inputs", arrays]),
    ],
    ["silero-vad", "silero-vad/silero_vad_16k_op15.onnx", wav === undefined ? undefined : ["--inputs", frames, "--state", "stateN=state"]],
    ["squeezenet", "squeezenet/squeezenet-v1.1-fp16.onnx", ["--random", "4", "--seed", "1"]],
  ];
  return new Map(
    all.flatMap(([name, file, args]) => {
      const model = dataFile(file);
      return model && args ? [[name, { name, model, args }]] : [];
    }),
  );
}

const cli = (args: readonly string[]): Promise<{ stdout: string }> =>
  // onnxruntime-node is found from the current folder.
  run(process.execPath, [path.join(ROOT, "dist/cli.js"), ...args], { cwd: E2E, maxBuffer: 2 ** 26 });

/** What becomes of a model that was compressed with these options. */
export async function evaluated(
  { name, model, args }: Case,
  ...options: readonly string[]
): Promise<{ bytes: number; ratio: number; evaluation: Evaluation }> {
  const archive = path.join(folder, `${name}.coppice`);
  await cli(["compress", model, ...options, "-o", archive, "--force", "--quiet"]);
  const [{ size: before }, { size: bytes }] = await Promise.all([stat(model), stat(archive)]);
  const { stdout } = await cli(["eval", model, archive, ...args, "--json"]);
  return { bytes, ratio: before / bytes, evaluation: JSON.parse(stdout) as Evaluation };
}

/** Bytes of a model of safetensors against those of its archive with these options. */
export async function ratioOf(model: string, ...options: readonly string[]): Promise<number> {
  const archive = path.join(folder, `${path.basename(model)}.coppice`);
  await cli(["compress", model, ...options, "-o", archive, "--force", "--quiet"]);
  const [{ size: before }, { size: after }] = await Promise.all([stat(model), stat(archive)]);
  return before / after;
}
