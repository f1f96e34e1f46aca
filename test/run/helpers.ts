import { decode } from "../../src/decode/index.js";
import { floatsOf } from "./expected.js";

/** A tensor of an archive in float32. */
export function decodedFloats(archive: Uint8Array, name: string): Float32Array {
  return floatsOf(decode(archive).find((tensor) => tensor.name === name)!);
}
