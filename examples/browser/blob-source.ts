import type { Source } from "../../src/types.js";

/** A file that the browser lends, or bytes in memory: no more of it is read than is asked for. */
export function blobSource(blob: Blob): Source {
  return {
    byteLength: blob.size,
    read: async (offset, byteLength) => new Uint8Array(await blob.slice(offset, offset + byteLength).arrayBuffer()),
    close: async () => undefined,
  };
}

/** The chunks of a stream, and `onBytes` told how many bytes have come. The stream is given up where the work ends early. */
export async function* chunksOf(stream: ReadableStream<Uint8Array>, onBytes: (byteLength: number) => void): AsyncGenerator<Uint8Array> {
  // By the reader: not every browser's streams can be iterated.
  const reader = stream.getReader();
  try {
    for (let byteLength = 0; ; ) {
      const { done, value } = await reader.read();
      if (done) return;
      byteLength += value.length;
      onBytes(byteLength);
      yield value;
    }
  } finally {
    await reader.cancel();
  }
}
