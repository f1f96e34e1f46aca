// docs/format.md, section 5: each limit with its reason.

export const MAGIC: Uint8Array = Uint8Array.of(0xc0, 0x99, 0x1c, 0xe0);
export const VERSION = 1;

/** Below it a varint stays a safe integer. */
export const MAX_VARINT: number = Number.MAX_SAFE_INTEGER;

/** A decoder holds one block: 8 MiB of the widest elements. Offsets within a block fit wasm's 32 bits many times over. */
export const MAX_BLOCK_LOG = 20;
export const MIN_BLOCK_LOG = 8;
export const MAX_BLOCK_ELEMENTS: number = 1 << MAX_BLOCK_LOG;

/** A decoding table has at most 2^12 entries, built before any payload is read. */
export const MAX_CODE_BITS = 12;

/** The header and each template are held in memory whole. Real headers, thousands of tensors, stay below 1 MiB; an ONNX graph is at most a few. */
export const MAX_HEADER_BYTES: number = 2 ** 28;
export const MAX_SHELL_BYTES: number = 2 ** 28;

/** Deflate gives at most 1032 bytes for one: 258 for two bits and a little. */
export const MAX_DEFLATE_RATIO = 1032;

/** Real names stay below 300 bytes; names are compared and kept. */
export const MAX_NAME_BYTES = 65535;

/** A name that shares bytes with others stands for more than it takes in the header: at most this many. */
export const MAX_SHARED_NAME_BYTES = 1024;

/** How many names back a tail may be: so many are kept. The period of real models' names is short. */
export const MAX_NAME_BACK = 32;

/** Of all names together, for each byte of the header, and beside that: what the header claims is bounded by what it carries. */
export const MAX_NAMES_RATIO = 32;
export const MAX_NAMES_BYTES: number = 1 << 16;

/** Elements of a context-coded block for each byte of its stream, and beside that: real ones stay below 300, and each takes a decoder time. */
export const MAX_CONTEXT_RATIO = 512;
export const MAX_CONTEXT_ELEMENTS: number = 1 << 12;

/** Real tensors have at most 8 axes. */
export const MAX_RANK = 64;

/** Head and checksum. */
export const MIN_RECORD_BYTES = 5;

/** Name, kind and record length of a tensor take more in the header. */
export const MIN_TENSOR_HEADER_BYTES = 4;
