import { FormatError } from "../errors.js";
import type { ByteReader } from "./bytes.js";
import { MAX_CONTEXT_ELEMENTS, MAX_CONTEXT_RATIO } from "./limits.js";

/** Elements that a context-coded block of so many bytes may have: docs/format.md, section 5. */
export function mostContextElements(byteLength: number): number {
  return MAX_CONTEXT_ELEMENTS + MAX_CONTEXT_RATIO * byteLength;
}

/** @throws FormatError `LIMIT` where what is left of a block is too short for its elements */
export function checkContext(elements: number, block: ByteReader): void {
  if (elements > mostContextElements(block.left)) {
    throw new FormatError("LIMIT", block.offset, `${elements} elements coded by context in ${block.left} bytes`);
  }
}
