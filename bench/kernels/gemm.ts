import { multiplyAt } from "../../src/kernels/nn.js";
import { fillNormal, normalState } from "../corpus.js";
import { gemmRoom, multiply, multiplyWide } from "../js/gemm.js";
import { type JavaScriptRunnable, type PreparedTask, place, type Runnable, rehearsed, room, type Task } from "./task.js";

// A float32 matrix product as training does it, panels packed each time: fc1 of LeNet-300-100 with 64 images.

const M = 64;
const K = 784;
const N = 300;

function matrix(length: number, seed: number): Float32Array {
  const values = new Float32Array(length);
  fillNormal(values, 1, normalState(seed));
  return values;
}

function js(product: typeof multiply, a: Float32Array, b: Float32Array): JavaScriptRunnable {
  const sized = (m: number, n: number, k: number): Runnable => {
    const panels = gemmRoom(m, n, k);
    const c = new Float32Array(m * n);
    return { run: () => product(a, b, c, m, n, k, panels), outputs: () => [c] };
  };
  return rehearsed(sized(M, N, K), sized(8, 16, 16));
}

const product: Task = {
  name: "float32 GEMM",
  input: `${M} x ${K} by ${K} x ${N}, packing included`,
  unit: "multiply-adds",
  prepare(): PreparedTask {
    const [a, b] = [matrix(M * K, 1), matrix(K * N, 2)];
    return {
      count: M * N * K,
      bytes: 4 * (M * K + K * N + M * N),
      js: js(multiply, a, b),
      wasm(engine) {
        const [left, right] = [place(engine, a), place(engine, b)];
        const to = room(engine, 4 * M * N);
        return {
          run: () => multiplyAt(engine, { m: M, n: N, k: K }, left, right, to),
          outputs: () => [engine.arena.f32(to, M * N)],
        };
      },
      native: { kernel: "gemm", numbers: [M, N, K], inputs: [a, b] },
      other: {
        name: "JavaScript float64",
        runnable: js(multiplyWide, a, b),
        note: () => "sums in float64, other bits",
      },
    };
  },
};

export const gemmTasks: readonly Task[] = [product];
