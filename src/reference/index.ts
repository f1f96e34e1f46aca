// Every kernel again in plain TypeScript, written from docs/format.md and src/kernel-types.ts: what the WebAssembly modules are tested and measured
// against, and what runs where WebAssembly is forbidden.

import type { EncodeKernels } from "../kernel-types.js";
import { decodeBlock, decodeRowMajor } from "./blocks.js";
import { optimalCells, rateCells } from "./cells.js";
import { encodeContext } from "./context.js";
import { fromFloat32, roundMantissa, toFloat32 } from "./convert.js";
import { crc32c } from "./crc32c.js";
import { encodeSymbols } from "./encode-symbols.js";
import { escapeGaps, fillGaps } from "./gaps.js";
import { assign, codebookGradient, lloyd, shareErrors } from "./kmeans.js";
import { codeLengths } from "./package-merge.js";
import { compact, prune, scatter, sift } from "./prune.js";
import { scan, scanGaps, unscan } from "./scan.js";
import { floatBins, floatHistogram, gapHistogram, histogram, magnitudeHistogram, stats } from "./stats.js";
import { index, mapBytes, splitPlane } from "./tables.js";

export * from "../decode/public.js";
export { decode, decodeStream, open, readHeader } from "./decode.js";
export { referenceDecodeKernels } from "./decode-kernels.js";
export { referenceNnKernels } from "./nn.js";
export { crc32c };

/** What compressing needs. */
export const referenceKernels: EncodeKernels = {
  variant: "reference",
  crc32c,
  decodeBlock,
  decodeRowMajor,
  unscan,
  stats,
  magnitudeHistogram,
  prune,
  sift,
  compact,
  scatter,
  scan,
  scanGaps,
  index,
  floatHistogram,
  floatBins,
  lloyd,
  rateCells,
  optimalCells,
  assign,
  shareErrors,
  histogram,
  gapHistogram,
  mapBytes,
  codeLengths,
  encodeSymbols,
  encodeContext,
  fillGaps,
  escapeGaps,
  splitPlane,
  toFloat32,
  fromFloat32,
  roundMantissa,
  codebookGradient,
};
