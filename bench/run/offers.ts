import { type LayerOptions, loadLayer } from "../../src/run/index.js";
import type { NativeKernels } from "../node/native.js";
import { formHere, type Offer, settled } from "./form.js";
import { TENSOR } from "./layers.js";
import { OURS } from "./names.js";
import { gemmModel } from "./onnx-model.js";
import { onnxStep } from "./onnx-runtime.js";
import { findPackage } from "./packages.js";
import { nativeCsr, scipyCsr } from "./programs.js";
import { type StartThread, startRunThread, threadedForm } from "./threaded.js";
import { wasmDense } from "./wasm-dense.js";

// Every form that is compared.

function ours(name: string, options: LayerOptions): Offer {
  return {
    name,
    async open({ archive, layer: { outputs } }) {
      const layer = await loadLayer(archive, TENSOR, options);
      if (layer.threads < (options.threads ?? 1)) {
        layer.dispose();
        return "its threads cannot be started here";
      }
      return formHere(
        name,
        outputs,
        (x, batch, y) => {
          if (batch === 1) layer.matvec(x, y);
          else layer.matmul(x, batch, y);
          return y;
        },
        () => layer.dispose(),
      );
    },
  };
}

function ourDense(name: string): Offer {
  return { name, open: async (subject) => wasmDense(name, subject) };
}

function onnx(name: string, packageName: string, open: (file: string) => Offer["open"]): Offer {
  return {
    name,
    async open(subject) {
      const found = findPackage(packageName);
      return found ? open(found.file)(subject) : `${packageName} is not installed`;
    },
  };
}

function onnxNode(name: string, threads: number): Offer {
  return onnx(name, "onnxruntime-node", (file) => async (subject) => {
    const { inputs, outputs } = subject.layer;
    const options = { intraOpNumThreads: threads, interOpNumThreads: 1 };
    const { step, close } = await onnxStep({ file, model: gemmModel(subject), shape: [inputs], options });
    const form = formHere(name, outputs, step, close);
    return threads === 1 ? form : settled(form);
  });
}

function onnxWeb(name: string, start: StartThread): Offer {
  return onnx(name, "onnxruntime-web", (file) => (subject) => {
    const { inputs, outputs } = subject.layer;
    const options = { executionProviders: ["wasm"] };
    return threadedForm(name, { kind: "onnx", file, model: gemmModel(subject), shape: [inputs], outputs, options }, start);
  });
}

function javaScriptCsr(name: string, start: StartThread): Offer {
  return { name, open: ({ csr, layer: { inputs } }) => threadedForm(name, { kind: "csr", csr, inputs }, start) };
}

/** @param native the compiled kernels, or why there are none */
export function offers(native: NativeKernels | string, start: StartThread = startRunThread): readonly Offer[] {
  return [
    ours(OURS, { variant: "simd" }),
    ours("WASM x2", { variant: "simd", threads: 2 }),
    ours("WASM scalar", { variant: "scalar" }),
    javaScriptCsr("JS CSR", start),
    nativeCsr(native),
    scipyCsr(),
    ourDense("WASM dense"),
    onnxNode("ORT node", 1),
    onnxNode("ORT node x2", 2),
    onnxWeb("ORT web", start),
  ];
}
