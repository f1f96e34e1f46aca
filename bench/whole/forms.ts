import { loadNetwork, type Variant } from "../../src/run/index.js";
import { type Form, formHere } from "../run/form.js";
import { OURS } from "../run/names.js";
import { onnxStep } from "../run/onnx-runtime.js";
import { findPackage } from "../run/packages.js";
import { type StartThread, startRunThread, threadedForm } from "../run/threaded.js";
import type { WholeSubject } from "./subject.js";

/** A form of a whole network, and the bytes that it takes once it has run. */
export interface WholeForm extends Form {
  bytes(): Promise<number>;
}

/** A form that may not be there. */
export interface WholeOffer {
  readonly name: string;
  /** Gives the reason where the form is left out. */
  open(subject: WholeSubject): Promise<WholeForm | string>;
}

const outputsOf = ({ network: { layers } }: WholeSubject): number => layers[layers.length - 1].shape[0];

function ours(name: string, variant: Variant): WholeOffer {
  return {
    name,
    async open(subject) {
      const network = await loadNetwork(subject.archive, subject.network.spec, { variant });
      const form = formHere(
        name,
        network.outputs,
        (x, _batch, y) => network.run(x, y),
        () => network.dispose(),
      );
      return { ...form, bytes: async () => network.byteLength };
    },
  };
}

/** What a session adds to the process is what it has: nothing else runs meanwhile. */
function onnxNode(name: string): WholeOffer {
  return {
    name,
    async open(subject) {
      const found = findPackage("onnxruntime-node");
      if (found === undefined) return "onnxruntime-node is not installed";
      const { spec } = subject.network;
      const before = process.memoryUsage.rss();
      const options = { intraOpNumThreads: 1, interOpNumThreads: 1 };
      const { step, close } = await onnxStep({ file: found.file, model: subject.onnxFile, shape: spec.input ?? [], options });
      return {
        ...formHere(name, outputsOf(subject), step, close),
        bytes: async () => process.memoryUsage.rss() - before,
      };
    },
  };
}

function onnxWeb(name: string, start: StartThread): WholeOffer {
  return {
    name,
    async open(subject) {
      const found = findPackage("onnxruntime-web");
      if (found === undefined) return "onnxruntime-web is not installed";
      const { network, onnxFile, weightsFile } = subject;
      const work = {
        file: found.file,
        model: onnxFile,
        shape: network.spec.input ?? [],
        options: { executionProviders: ["wasm"] },
        weightsFile,
      };
      return threadedForm(name, { kind: "onnx", ...work, outputs: outputsOf(subject) }, start);
    },
  };
}

/** All forms, each with one thread. */
export function wholeOffers(start: StartThread = startRunThread): readonly WholeOffer[] {
  return [ours(OURS, "simd"), ours("WASM scalar", "scalar"), onnxNode("ORT node"), onnxWeb("ORT web", start)];
}
