import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { NativeSpec } from "../kernels/task.js";
import { foundAbove, type NativeKernels } from "../node/native.js";
import { type Program, pythonWith, startProgram } from "../node/program.js";
import type { Form, Offer } from "./form.js";
import type { Subject } from "./layers.js";

// CSR in programs of their own, which time themselves: native C and SciPy.

/** A program is started anew for each batch size, with the layer and the inputs in a file. */
function formOf(name: string, { layer: { inputs, outputs }, csr }: Subject, start: (spec: NativeSpec) => Promise<Program>): Form {
  let program: Program | undefined;
  const running = (): Program => {
    if (program === undefined) throw new Error(`${name} has no inputs`);
    return program;
  };
  return {
    name,
    async feed({ batch, count, x }) {
      program?.close();
      const inputArrays = [csr.starts, csr.columns, csr.values, x];
      program = await start({ kernel: "csr-layer", numbers: [inputs, outputs, batch, count], inputs: inputArrays });
    },
    async time(calls) {
      await running().run(1);
      return running().run(calls);
    },
    async outputs() {
      const bytes = await running().output();
      return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    },
    close: async () => program?.close(),
  };
}

/** @param native the compiled kernels, or why there are none */
export function nativeCsr(native: NativeKernels | string): Offer {
  const name = "C CSR";
  return { name, open: async (subject) => (typeof native === "string" ? native : formOf(name, subject, native.start)) };
}

export function scipyCsr(): Offer {
  const name = "SciPy CSR";
  return {
    name,
    async open(subject) {
      const python = await pythonWith("scipy");
      if (python === undefined) return "python3 has no scipy";
      const script = foundAbove("bench/peers/scipy_csr.py");
      if (script === undefined) return "its script is not there";
      const folder = await mkdtemp(path.join(tmpdir(), "coppice-scipy-"));
      const form = formOf(name, subject, (spec) => startProgram([python.command, script], folder, spec));
      return {
        ...form,
        async close() {
          await form.close();
          await rm(folder, { recursive: true, force: true });
        },
      };
    },
  };
}
