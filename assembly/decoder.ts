export { crc32c, crc32cTables } from "./common/crc32c";
export { heapBase, variant } from "./common/module";
export { escapeGaps, fillerGaps, gatherElements, joinPlane, scatterElements } from "./csr/expand";
export { permute } from "./csr/scan";
export { decodeStream, decodeStreams4, decodeTable } from "./huffman/decode";
