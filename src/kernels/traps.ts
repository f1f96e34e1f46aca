import { FormatError, type FormatErrorCode } from "../errors.js";

// What a trap of assembly/edge means, by the numbers of assembly/edge/input.ts.

const CODES: FormatErrorCode[] = "MAGIC VERSION TRUNCATED TRAILING CHECKSUM CORRUPT DUPLICATE LIMIT UNSUPPORTED".split(
  " ",
) as FormatErrorCode[];

/** What `Input.part` means. */
const PARTS: string[] = ["header", "name", "tensor", "head", "codebook", "code table", "block"];

/**
 * What to throw for what a module of assembly/edge threw: a FormatError where it refused bytes.
 *
 * @param found what stands at its `foundAt()`
 * @param bias from its addresses to the archive's offsets
 */
export function refusalOf(error: unknown, [code, at, part]: Float64Array, bias: number): unknown {
  return code >= 0 && error instanceof WebAssembly.RuntimeError ? new FormatError(CODES[code], bias + at, `in a ${PARTS[part]}`) : error;
}
