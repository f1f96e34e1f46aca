import { createHash } from "node:crypto";
import type { Core } from "../../src/archive/core.js";
import { decodeWith } from "../../src/decode/decode.js";
import type { DecodeOptions } from "../../src/decode/options.js";
import { FormatError, type FormatErrorCode } from "../../src/errors.js";
import type { Tensor } from "../../src/types.js";

/** What decoding came to. */
export interface Outcome {
  /** Undefined where the archive was accepted. */
  readonly error: FormatError | undefined;
  readonly tensors: readonly Tensor[];
}

/** Decodes; all but a FormatError is thrown on. */
export function outcomeOf(core: Core, archive: Uint8Array, options: DecodeOptions = { maxBytes: 1 << 22 }): Outcome {
  try {
    return { error: undefined, tensors: decodeWith(core, archive, options) };
  } catch (error) {
    if (error instanceof FormatError) return { error, tensors: [] };
    throw error;
  }
}

/** The code with which an archive is refused, undefined where it is accepted. */
export function codeOf(core: Core, archive: Uint8Array, options?: DecodeOptions): FormatErrorCode | undefined {
  return outcomeOf(core, archive, options).error?.code;
}

/** A short text that two outcomes share only where they are the same, which fault was named first left out. */
export function summary({ error, tensors }: Outcome): string {
  if (error) return "refused";
  const hash = createHash("sha256");
  for (const { name, dtype, shape, data } of tensors) hash.update(JSON.stringify([name, dtype, shape, data.length])).update(data);
  return hash.digest("hex");
}
