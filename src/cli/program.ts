import { Command, Option } from "commander";
import metadata from "../../package.json" with { type: "json" };
import type { BenchFlags } from "./bench.js";
import type { CompressFlags } from "./compress.js";
import type { DecompressFlags } from "./decompress.js";
import type { EvalFlags } from "./eval.js";
import type { InspectFlags } from "./inspect.js";
import type { TrainFlags } from "./train.js";
import { parseByteCount, parseFraction, parseNamed, parseNumber, parseNumbers } from "./usage.js";
import type { VerifyFlags } from "./verify.js";

/** What each command does. */
export interface Actions {
  compress(model: string, flags: CompressFlags): Promise<void>;
  decompress(archive: string, flags: DecompressFlags): Promise<void>;
  inspect(archive: string, flags: InspectFlags): Promise<void>;
  verify(model: string, archive: string, flags: VerifyFlags): Promise<void>;
  eval(before: string, after: string, flags: EvalFlags): Promise<void>;
  train(flags: TrainFlags): Promise<void>;
  bench(kernels: readonly string[], flags: BenchFlags): Promise<void>;
  benchRun(layers: readonly string[], flags: BenchFlags): Promise<void>;
  benchNetworks(networks: readonly string[], flags: BenchFlags): Promise<void>;
}

const EXAMPLES = `
Examples:
  coppice compress model.safetensors                     writes model.safetensors.coppice
  coppice compress net.safetensors --preset paper --bits 4 -o net.coppice
  coppice compress net.npz --recipe recipe.json --json
  coppice decompress net.coppice -o net.safetensors
  coppice decompress net.onnx.coppice --to safetensors   writes net.safetensors
  coppice inspect net.coppice                            the paper's table, layer by layer
  coppice verify net.safetensors net.coppice             what was lost; exit code 1 if more than said
  coppice eval model.onnx model.onnx.coppice             whether the answers are the same
  coppice train --net net.json --data mnist --recipe recipe.json -o net.coppice
  coppice bench huffman                                  how fast this machine is
  cat net.npy | coppice compress - --preset exact | coppice decompress - > same.npy

Exit codes: 0 done, 1 the comparison failed, 2 usage, 3 the file is at fault, 4 the system is.
COPPICE_DEBUG=1 adds a stack trace to an error; NO_COLOR=1 takes the colours away.`;

const COMPRESS_EXAMPLES = `
Presets:
  exact     every bit stays
  default   matrices and convolutions shared, nothing pruned: accuracy within noise without retraining;
            where errors feed back (recurrent layers, loops), rounded to 8 bits of mantissa instead
  paper     the paper's settings: convolutions shared with 8 bits, matrices with 5, both pruned

Examples:
  coppice compress model.safetensors
  coppice compress model.safetensors --sparsity 0.9 --bits 5
  coppice compress model.safetensors --tradeoff 0.008    # smaller, and farther from the original
  coppice compress - -o net.coppice < net.safetensors`;

const TABLES = `
docs/tables.md, in the package too, explains the table's columns.`;

const EVAL_EXAMPLES = `
Either may be an ONNX model or an archive of one; onnxruntime-node runs them (npm install onnxruntime-node).

Inputs:
  random    floats in [-1, 1), integers 0 or 1; axes that the model leaves open are 1 unless --shape says otherwise
  images    pixels are 0 to 255; the model gets (pixel * scale - mean) / std, with a scale of 1, or 1/255 where mean or std is given
  arrays    named as the model's inputs; an array with an axis more than its input, the first, is a run for each of its elements, and those
            without it are the same in every run; where none has it, the first axis is that of the samples, which go in together
  state     what an output gives goes into an input of the next run; the first time that is its array, or zeros

Examples:
  coppice eval net.onnx net.onnx.coppice --random 100 --seed 7
  coppice eval lenet.onnx lenet.coppice --images t10k-images-idx3-ubyte.gz --labels t10k-labels-idx1-ubyte.gz --scale 1/256
  coppice eval resnet.onnx resnet.coppice --images test_batch.bin --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225 --max-accuracy-drop 0.3
  coppice eval vad.onnx vad.coppice --inputs frames.npz --state stateN=state --tolerance 0.02`;

const TRAIN_EXAMPLES = `
The folder of data holds MNIST's files or others like them (train-images-idx3-ubyte, train-labels-idx1-ubyte, and t10k-… to test with), or CIFAR-10's
(data_batch_1.bin, …, test_batch.bin); each may be in gzip. The end of the training set is held out to watch by; when all stages are done,
what the network of each makes of the test set goes into the report.
Stopped, and started again as before, a training goes on from its last epoch, to the same bytes.

Examples:
  coppice train --net net.json --data mnist --recipe recipe.json -o net.coppice --report net.html
  coppice train --net net.json --data cifar --recipe recipe.json -o net.coppice --seed 7 --threads 2 --json`;

const BENCH_EXAMPLES = `
Examples:
  coppice bench --list
  coppice bench "huffman decode" k-means
  coppice bench --svg bench.svg --markdown bench.md
  coppice bench run alex vgg
  coppice bench networks`;

const BENCH_RUN_EXAMPLES = `
Layers of AlexNet, VGG-16 and NeuralTalk with synthetic weights, one sample at a time and 64. Dense, they are run by onnxruntime-node and onnxruntime-web where the
current folder's project has them, and sparse by SciPy where python3 has it. All layers take some minutes, and 6 GB of memory.

Examples:
  coppice bench run --list
  coppice bench run alex-6 vgg-6
  coppice bench run --svg run.svg --markdown run.md --json > run.json`;

const BENCH_NETWORKS_EXAMPLES = `
AlexNet and VGG-16 with synthetic weights of the densities that Deep Compression has, one image at a time, all layers from the archive. Dense, they are run by
onnxruntime-node and onnxruntime-web where the current folder's project has them. Both take two minutes, 4 GB of memory and 600 MB of the folder for temporary files.

Examples:
  coppice bench networks --list
  coppice bench networks alexnet
  coppice bench networks --svg networks.svg --markdown networks.md --json > networks.json`;

/** The command line, which calls `actions` and writes nothing itself; what --help and --version say goes to `hear`. */
export function commandLine(actions: Actions, hear: (text: string) => void): Command {
  const program = new Command("coppice")
    .description(metadata.description)
    .version(metadata.version)
    .exitOverride()
    .configureOutput({ writeOut: hear, writeErr: hear, outputError: () => undefined })
    .addHelpText("after", EXAMPLES);

  const output = () => new Option("-o, --output <file>", "write to this file; - is standard output");
  const force = () => new Option("--force", "overwrite what is there");
  const json = () => new Option("--json", "print one JSON document on standard output, and nothing else");
  const quiet = (what: string) => new Option("--quiet", `no ${what}, no progress`);
  const maxBytes = () => new Option("--max-bytes <n>", "most bytes that the tensors may have: 1000000, 64M, 2G").argParser(parseByteCount);
  const number = (flags: string, description: string) => new Option(flags, description).argParser(parseNumber);
  const threads = (what: string) => number("--threads <n>", `threads that work; ${what} is the same for any number`);

  program
    .command("compress")
    .description("compress a model (ONNX, safetensors, PyTorch, Keras, TF.js, npy, npz) into an archive")
    .argument("<model>", "model file, of several the one that names the others; - is standard input")
    .addOption(output())
    .addOption(new Option("--preset <name>", "what happens to the tensors").choices(["exact", "default", "paper"]).conflicts("recipe"))
    .addOption(new Option("--recipe <file>", "rules in a JSON file, instead of a preset (docs/recipe.schema.json)"))
    .addOption(number("--sparsity <s>", "prune this part of each tensor's weights, 0 to 1").conflicts(["threshold", "quality"]))
    .addOption(number("--threshold <t>", "prune weights of at most this magnitude").conflicts("quality"))
    .addOption(number("--quality <q>", "prune at q times each tensor's standard deviation"))
    .addOption(number("--bits <b>", "share 2^b weights, 1 to 8: by k-means, unless the objective is rate"))
    .addOption(
      new Option("--init <way>", "where k-means starts, which the objective rate does without").choices([
        "linear",
        "density",
        "random",
        "optimal",
      ]),
    )
    .addOption(
      new Option("--objective <what>", "the least error for so many centroids, or for the bits they take").choices(["distortion", "rate"]),
    )
    .addOption(
      number(
        "--tradeoff <t>",
        "for rate: error that a bit may cost, as a part of the variance, times the tensor's size over the mean: 0.005 unless given",
      ),
    )
    .addOption(
      number("--round <b>", "instead of sharing, round to b bits of mantissa, 1 to 22").conflicts([
        "bits",
        "init",
        "objective",
        "tradeoff",
      ]),
    )
    .addOption(threads("the archive"))
    .addOption(force())
    .addOption(json())
    .addOption(quiet("table"))
    .addHelpText("after", COMPRESS_EXAMPLES)
    .action(actions.compress);

  program
    .command("decompress")
    .description("give the files of a model back")
    .argument("<archive>", "archive; - is standard input")
    .addOption(
      new Option("-o, --output <path>", "write to this file, or into this folder where the model has several; - is standard output"),
    )
    .addOption(new Option("--to <format>", "give all tensors in one file of this format").choices(["safetensors"]))
    .addOption(threads("of a file, the model"))
    .addOption(maxBytes())
    .addOption(force())
    .addOption(json())
    .addOption(quiet("message"))
    .action(actions.decompress);

  program
    .command("inspect")
    .description("show what an archive holds, layer by layer")
    .argument("<archive>", "archive; - is standard input")
    .addOption(maxBytes())
    .addOption(json())
    .addOption(quiet("table"))
    .addHelpText("after", TABLES)
    .action(actions.inspect);

  program
    .command("verify")
    .description("compare a model with its archive, tensor by tensor")
    .argument("<model>", "model file; - is standard input")
    .argument("<archive>", "archive; - is standard input")
    .addOption(maxBytes())
    .addOption(json())
    .addOption(quiet("table"))
    .addHelpText("after", TABLES)
    .action(actions.verify);

  program
    .command("eval")
    .description("run a model and its archive with onnxruntime, and compare what they answer")
    .argument("<original>", "ONNX model, or an archive of one; - is standard input")
    .argument("<archive>", "what is compared with it: its archive, or another model of the same inputs and outputs; - is standard input")
    .addOption(new Option("--inputs <file>", "arrays to run it on: .npz, .npy or safetensors").conflicts(["images", "random"]))
    .addOption(
      new Option("--images <file>", "images to run it on: IDX, or the binary records of CIFAR-10 or CIFAR-100 with their labels").conflicts(
        "random",
      ),
    )
    .addOption(new Option("--labels <file>", "the class of each sample: IDX or .npy of integers"))
    .addOption(new Option("--input <name>", "the input that takes the images, or the array of a .npy file"))
    .addOption(number("--random <n>", "run it on n random samples (8 unless there are others)"))
    .addOption(number("--seed <s>", "where the random numbers start (1)"))
    .addOption(
      new Option("--shape <name=axes>", "shape of a random input or of a --state: image=1,3,224,224").argParser(
        parseNamed(parseNumbers, "as image=1,3,224,224"),
      ),
    )
    .addOption(
      new Option("--state <output=input>", "the output feeds the input of the next run").argParser(parseNamed(String, "as stateN=state")),
    )
    .addOption(new Option("--scale <x>", "what a pixel of 0 to 255 is multiplied with: 1/256").argParser(parseFraction))
    .addOption(new Option("--mean <list>", "mean of each channel").argParser(parseNumbers))
    .addOption(new Option("--std <list>", "standard deviation of each channel").argParser(parseNumbers))
    .addOption(number("--limit <n>", "most samples in all"))
    .addOption(number("--batch <n>", "most samples at once"))
    .addOption(number("--tolerance <x>", "exit code 1 where an output differs by more"))
    .addOption(number("--max-accuracy-drop <points>", "exit code 1 where more percentage points are lost"))
    .addOption(
      new Option("--max-bytes <n>", "most bytes that an archive's tensors, or the samples, may have: 1000000, 64M, 2G").argParser(
        parseByteCount,
      ),
    )
    .addOption(json())
    .addOption(quiet("table"))
    .addHelpText("after", EVAL_EXAMPLES)
    .action(actions.eval);

  program
    .command("train")
    .description("train a network, prune it, share its weights, fine-tune the codebooks, and write the archive")
    .addOption(new Option("--net <file>", "layers of the network in a JSON file (docs/network.schema.json)").makeOptionMandatory())
    .addOption(new Option("--data <folder>", "samples: IDX files as MNIST's, or CIFAR-10's binary batches").makeOptionMandatory())
    .addOption(new Option("--recipe <file>", "stages in a JSON file (docs/training.schema.json)").makeOptionMandatory())
    .addOption(new Option("-o, --output <file>", "write the archive to this file").makeOptionMandatory())
    .addOption(
      new Option("--checkpoint <folder>", "keep what is needed to go on here; beside the archive, and ending in .checkpoint, unless given"),
    )
    .addOption(new Option("--keep", "leave the checkpoint at the end"))
    .addOption(number("--seed <n>", "where chance starts, instead of the recipe's"))
    .addOption(number("--threads <n>", "threads that share each batch (1); the weights differ in their last bits for another number"))
    .addOption(new Option("--report <file>", "write a page of HTML with the plots of the training"))
    .addOption(force())
    .addOption(json())
    .addOption(quiet("table"))
    .addHelpText("after", TRAIN_EXAMPLES)
    .action(actions.train);

  const measuring = (command: Command): Command =>
    command
      .addOption(number("--rounds <n>", "how often each form is measured"))
      .addOption(new Option("--list", "show the names, and measure nothing"))
      .addOption(new Option("--markdown <file>", "write the tables to this file too"))
      .addOption(new Option("--svg <file>", "write a chart to this file"))
      .addOption(force())
      .addOption(json());

  const bench = measuring(program.command("bench"))
    .description("compare the kernels as WASM, as JavaScript and as native C, where a compiler is found")
    .argument("[kernels...]", "parts of their names; all unless given")
    .addHelpText("after", BENCH_EXAMPLES)
    .action(actions.bench);

  measuring(bench.command("run"))
    .description("compare layers run from their sparse, shared form with the same layers dense, and in CSR")
    .argument("[layers...]", "parts of their names; all unless given")
    .addHelpText("after", BENCH_RUN_EXAMPLES)
    // Its options are also those of the command above it, which takes them wherever they stand.
    .action((layers: string[], _flags: BenchFlags, run: Command) => actions.benchRun(layers, run.optsWithGlobals()));

  measuring(bench.command("networks"))
    .description("compare whole networks run from their archive with the same networks dense")
    .argument("[networks...]", "parts of their names; all unless given")
    .addHelpText("after", BENCH_NETWORKS_EXAMPLES)
    .action((networks: string[], _flags: BenchFlags, run: Command) => actions.benchNetworks(networks, run.optsWithGlobals()));

  return program;
}
