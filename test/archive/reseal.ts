import { ByteReader } from "../../src/archive/bytes.js";
import { headerEnd, readHeader, type TensorEntry } from "../../src/archive/header.js";
import { blockCount, readRecordHead } from "../../src/archive/record.js";
import { CHECKSUM_BYTES } from "../../src/archive/sizes.js";
import { FormatError } from "../../src/errors.js";
import { crc32c } from "../../src/reference/index.js";

// A damaged archive is mostly refused for a checksum. With the checksums made right again, what stands behind them is reached.

/** Puts right the checksums that can be found, in place. */
export function reseal(archive: Uint8Array): Uint8Array {
  try {
    const end = headerEnd(archive);
    if (end > archive.length) return archive;
    put(archive, end - CHECKSUM_BYTES, crc32c(archive.subarray(0, end - CHECKSUM_BYTES)));
    for (const entry of readHeader(archive, crc32c).tensors) {
      if (entry.recordOffset + entry.recordByteLength > archive.length) break;
      resealRecord(archive.subarray(entry.recordOffset, entry.recordOffset + entry.recordByteLength), entry);
    }
  } catch (error) {
    if (!(error instanceof FormatError)) throw error; // so broken that no more checksums can be found
  }
  return archive;
}

function resealRecord(record: Uint8Array, entry: TensorEntry): void {
  const reader = new ByteReader(record);
  const plan = readRecordHead(reader, entry, record.length);
  const blocks = blockCount(plan);
  if (blocks === 1) {
    put(record, record.length - CHECKSUM_BYTES, crc32c(record.subarray(0, record.length - CHECKSUM_BYTES)));
    return;
  }
  for (let i = 0, since = 0; i < blocks; i++) {
    const byteLength = reader.varint("block length");
    if (byteLength < CHECKSUM_BYTES || byteLength > reader.left) return;
    reader.take(byteLength, "block");
    put(record, reader.position - CHECKSUM_BYTES, crc32c(record.subarray(since, reader.position - CHECKSUM_BYTES)));
    since = reader.position;
  }
}

function put(bytes: Uint8Array, at: number, value: number): void {
  for (let i = 0; i < 4; i++) bytes[at + i] = value >>> (8 * i);
}
