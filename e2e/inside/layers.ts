import goldens from "given:goldens";
import { open } from "coppice/decode";
import { type Layer, loadLayer } from "coppice/run";
import { about } from "./about.ts";
import { sha256, sourceOf } from "./bytes.ts";
import type { Commands } from "./commands.ts";
import { BATCH, numbers } from "./numbers.ts";

const FLOATS = ["F32", "F16", "BF16", "F64"];
const LAYOUTS = ["columns", "rows"] as const;

/** What a layer gave: SHA-256 of the outputs of a vector and of a batch. */
export interface RunFound {
  readonly archive: string;
  readonly tensor: string;
  readonly layout: (typeof LAYOUTS)[number];
  readonly kernel: Layer["layout"];
  readonly matvec: string;
  readonly matmul: string;
}

export interface LayersFound {
  /** Threads of the layers. */
  readonly threads: readonly number[];
  readonly layers: readonly RunFound[];
}

const hashOf = (values: Float32Array): Promise<string> => sha256(new Uint8Array(values.buffer));

/** Every tensor of the golden archives that is a layer, run in both orders. */
async function layers(threads: number): Promise<LayersFound> {
  const found: RunFound[] = [];
  const counts = new Set<number>();
  for (const [archive, bytes] of Object.entries(goldens)) {
    if (archive.startsWith("bad/")) continue;
    const opened = await open(sourceOf(bytes));
    for (const { name, dtype, shape } of opened.header.tensors) {
      if (!FLOATS.includes(dtype) || shape.length < 2 || shape.includes(0)) continue;
      for (const layout of LAYOUTS) {
        const layer = await loadLayer(opened, name, { layout, threads, bias: null });
        const [y, Y] = [new Float32Array(layer.outputs), new Float32Array(BATCH * layer.outputs)];
        layer.matvec(numbers(layer.inputs), y);
        const kernel = layer.layout;
        layer.matmul(numbers(BATCH * layer.inputs), BATCH, Y);
        found.push({ archive, tensor: name, layout, kernel, matvec: await hashOf(y), matmul: await hashOf(Y) });
        counts.add(layer.threads);
        layer.dispose();
        // A process has room for about a hundred memories, and a thread's goes a little after the layer.
        if (threads > 1) await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }
  return { threads: [...counts], layers: found };
}

export const commands: Commands = { about, layers: (threads) => layers(threads as number) };
