export { crc32c, crc32cTables } from "./common/crc32c";
export { heapBase, variant } from "./common/module";
export { contextBytes, contextDecode } from "./context/tensor";
export { escapePairs, extraBits, fillerPairs, gatherElements, joinPlane, spreadElements } from "./csr/expand";
export { permute, unscanPairs } from "./csr/scan";
export { decodeStream, decodeStreams4 } from "./huffman/decode";
export { decodeTable } from "./huffman/table";
