import { field, number } from "../protobuf.js";
import type { Subject } from "./layers.js";

const FLOAT = 1;
const INTEGER_ATTRIBUTE = 2;

/** A value of float32 matrices: any number of rows, so many columns. */
function value(name: string, columns: number): Uint8Array {
  const shape = field(2, field(1, field(2, "n")), field(1, number(1, columns)));
  return Buffer.concat([field(1, name), field(2, field(1, number(1, FLOAT), shape))]);
}

/** The bytes of an ONNX model of one node, y = Gemm(x, weight) with the weights transposed, as PyTorch exports a layer. */
export function gemmModel({ layer: { inputs, outputs }, dense }: Pick<Subject, "layer" | "dense">): Uint8Array {
  const transposed = field(5, field(1, "transB"), number(3, 1), number(20, INTEGER_ATTRIBUTE));
  const node = field(1, field(1, "x"), field(1, "weight"), field(2, "y"), field(4, "Gemm"), transposed);
  const bytes = new Uint8Array(dense.buffer, dense.byteOffset, dense.byteLength);
  const weight = field(5, number(1, outputs), number(1, inputs), number(2, FLOAT), field(8, "weight"), field(9, bytes));
  const graph = field(7, node, field(2, "layer"), weight, field(11, value("x", inputs)), field(12, value("y", outputs)));
  return Buffer.concat([number(1, 8), graph, field(8, number(2, 17))]);
}
