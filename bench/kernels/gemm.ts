import { multiplyAt } from "../../src/kernels/nn.js";
import { fillNormal, normalState } from "../corpus.js";
import { gemmRoom, multiply, multiplyWide } from "../js/gemm.js";
import { type JavaScriptRunnable, type PreparedTask, place, type Runnable, rehearsed, room, type Task } from "./task.js";

// A float32 matrix product as training does it, panels packed each time.

interface Product {
  readonly m: number;
  readonly k: number;
  readonly n: number;
}

function matrix(length: number, seed: number): Float32Array {
  const values = new Float32Array(length);
  fillNormal(values, 1, normalState(seed));
  return values;
}

function js(product: typeof multiply, a: Float32Array, b: Float32Array, { m, n, k }: Product): JavaScriptRunnable {
  const sized = (rows: number, columns: number, depth: number): Runnable => {
    const panels = gemmRoom(rows, columns, depth);
    const c = new Float32Array(rows * columns);
    return { run: () => product(a, b, c, rows, columns, depth, panels), outputs: () => [c] };
  };
  return rehearsed(sized(m, n, k), sized(8, 16, 16));
}

function task(name: string, product: Product): Task {
  const { m, k, n } = product;
  return {
    name,
    input: `${m} x ${k} by ${k} x ${n}, packing included`,
    unit: "multiply-adds",
    prepare(): PreparedTask {
      const [a, b] = [matrix(m * k, 1), matrix(k * n, 2)];
      return {
        count: m * n * k,
        bytes: 4 * (m * k + k * n + m * n),
        js: js(multiply, a, b, product),
        wasm(engine) {
          const [left, right] = [place(engine, a), place(engine, b)];
          const to = room(engine, 4 * m * n);
          return {
            run: () => multiplyAt(engine, product, left, right, to),
            outputs: () => [engine.arena.f32(to, m * n)],
          };
        },
        native: { kernel: "gemm", numbers: [m, n, k], inputs: [a, b] },
        other: {
          name: "JavaScript float64",
          runnable: js(multiplyWide, a, b, product),
          note: () => "sums in float64, other bits",
        },
      };
    },
  };
}

/** fc1 of LeNet-300-100 with 64 images, and the products of a step on 128: of fully connected layers for the batch, of convolutions for an image, or for the four of which a weight gradient takes the patches at a time. */
export const gemmTasks: readonly Task[] = [
  task("float32 GEMM", { m: 64, k: 784, n: 300 }),
  task("GEMM of LeNet-300-100 fc1, forward", { m: 128, k: 784, n: 300 }),
  task("GEMM of LeNet-300-100 fc1, weight gradient", { m: 300, k: 128, n: 784 }),
  task("GEMM of LeNet-5 conv1, forward", { m: 20, k: 25, n: 576 }),
  task("GEMM of LeNet-5 conv1, weight gradient", { m: 20, k: 256, n: 25 }),
  task("GEMM of LeNet-5 conv2, forward", { m: 50, k: 500, n: 64 }),
  task("GEMM of LeNet-5 conv2, weight gradient", { m: 50, k: 256, n: 500 }),
  task("GEMM of LeNet-5 conv2, input gradient", { m: 500, k: 50, n: 64 }),
  task("GEMM of LeNet-5 fc1, forward", { m: 128, k: 800, n: 500 }),
  task("GEMM of LeNet-5 fc1, weight gradient", { m: 500, k: 128, n: 800 }),
  task("GEMM of LeNet-5 fc1, input gradient", { m: 128, k: 500, n: 800 }),
];
