// What a decoder reads at a time. A module of its own: it brings nothing else into a decoder's bundle.

export const CHECKSUM_BYTES = 4;

/** More than the longest head of a record: a sorted codebook of 256 float64 takes 2.4 KiB, the code lengths of nine alphabets of 256 less than 5 KiB. */
export const MOST_HEAD_BYTES = 8192;

export const MOST_VARINT_BYTES = 8;
