import type { FormatErrorCode } from "../errors.js";

// What a trap of assembly/edge means, by the numbers of assembly/edge/input.ts.

export const CODES: FormatErrorCode[] = "MAGIC VERSION TRUNCATED TRAILING CHECKSUM CORRUPT DUPLICATE LIMIT UNSUPPORTED".split(
  " ",
) as FormatErrorCode[];

/** What `Input.part` means. */
export const PARTS: string[] = ["header", "name", "tensor", "head", "codebook", "code table", "block"];
