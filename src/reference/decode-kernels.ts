import type { DecodeKernels } from "../kernel-types.js";
import { decodeBlock, decodeRowMajor } from "./blocks.js";
import { crc32c } from "./crc32c.js";
import { unscan } from "./scan.js";

/** What decoding an archive needs. */
export const referenceDecodeKernels: DecodeKernels = { variant: "reference", crc32c, decodeBlock, decodeRowMajor, unscan };
