import { checkInteger } from "../check.js";
import type { OpenModel, Place, Role, Source } from "../types.js";
import type { Beside } from "./beside.js";
import { checkRange } from "./bytes-source.js";
import { type OnnxData, OnnxFiles } from "./onnx-files.js";
import { readOnnx } from "./onnx-graph.js";
import { isRecurrent, weightsOf } from "./onnx-roles.js";
import type { OnnxTensor } from "./onnx-tensor.js";

/** The fields of ModelProto, as their tags begin: of the number and the wire type, the first byte, and the second where there is one. */
const TAGS: readonly (readonly number[])[] = [[0x12], [0x1a], [0x22], [0x28], [0x32], [0x3a], [0x42], [0x72], [0xa2, 0x01], [0xca, 0x01]];

/** Whether a file begins as writers of ONNX have it: with the version of the format, below 128, and another field. */
export function isOnnx(head: Uint8Array): boolean {
  // So begins a safetensors file, too, with a header of a certain length: of one that a safetensors file may have, the upper half is 0.
  if (head[8] === 0x7b && head.subarray(4, 8).every((byte) => byte === 0)) return false;
  return head[0] === 0x08 && head[1] > 0 && head[1] < 128 && TAGS.some((tag) => tag.every((byte, i) => head[2 + i] === byte));
}

/** Names as the model has them; of those that stand twice, the second becomes `name#2`. */
function uniqueNames(tensors: readonly OnnxTensor[]): string[] {
  const counts = new Map<string, number>();
  const taken = new Set(tensors.map(({ name }) => name));
  return tensors.map(({ name }) => {
    let count = counts.get(name) ?? 0;
    let unique = name;
    if (count > 0)
      do unique = `${name}#${++count}`;
      while (taken.has(unique));
    counts.set(name, Math.max(count, 1));
    taken.add(unique);
    return unique;
  });
}

/**
 * Opens an ONNX model. Its protobuf messages are walked where they lie, and what is no tensor stays as it is, whatever it is. Listed are all initialisers, those of graphs within
 * the graph and of functions, too, and what attributes hold from 64 bytes on; in this file as one run of bytes (`raw_data`, `float_data`, `double_data`) or in files beside it. What
 * `readTensor` leaves in the shell comes back bit for bit like all else there. Elements of less than 8 bits are listed as the bytes that they share. A tensor in a graph within the
 * graph is named by the attribute that holds that graph, `then_branch/name`; one of a function, by the function; what a node's attribute holds, by the node's output.
 *
 * @param name of the file, unless the model has no others
 * @param beside opens those
 * @throws FormatError, and the source stays the caller's.
 */
export async function openOnnx(source: Source, name = "model.onnx", beside?: Beside): Promise<OpenModel> {
  const onnx = await readOnnx(source);
  const files = new OnnxFiles(source, name, beside);
  const listed: OnnxTensor[] = [];
  const data: OnnxData[] = [];
  const weights = new Set<number>();
  const used = weightsOf(onnx);
  const weight: Role = isRecurrent(onnx) ? "recurrent" : "weight";
  try {
    for (const [i, tensor] of onnx.tensors.entries()) {
      const found = await files.find(tensor, listed.length);
      if (found?.tensor === listed.length) {
        listed.push(tensor);
        data.push(found);
      }
      if (found && used.has(i)) weights.add(found.tensor);
    }
    files.check();
  } catch (error) {
    await files.closeOthers();
    throw error;
  }
  const names = uniqueNames(listed);
  return {
    format: "onnx",
    byteLength: files.byteLength,
    tensors: listed.map(({ dtype, shape }, i) => ({ name: names[i], dtype, shape })),
    role: (tensor: number): Role => (weights.has(tensor) ? weight : "other"),
    async read(tensor: number, offset: number, byteLength: number): Promise<Uint8Array> {
      checkInteger(tensor, "tensor", 0, data.length - 1);
      const from = data[tensor];
      checkRange(offset, byteLength, from.byteLength);
      return from.source.read(from.offset + offset, byteLength);
    },
    place(tensor: number): Place | undefined {
      const { source: file, offset } = data[tensor];
      return file.place && { fd: file.place.fd, offset: file.place.offset + offset };
    },
    templates: () => files.templates(),
    async close(): Promise<void> {
      await files.closeOthers();
      await source.close();
    },
  };
}
