export * from "./decoder";
export { fromFloat32, toFloat32 } from "./convert/floats";
export { escapeGapSymbols, fillGaps, gapHistogram, largest } from "./csr/gaps";
export { encodeStream, encodeTable, histogram, mapBytes, splitPlane } from "./huffman/encode";
export { codeLengths } from "./huffman/package-merge";
export { assign, codebookGradient, floatHistogram } from "./kmeans/assign";
export { lloyd } from "./kmeans/lloyd";
export { compact, index, prune } from "./prune/compact";
export { magnitudeHistogram, stats } from "./prune/stats";
