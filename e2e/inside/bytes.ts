/** SHA-256, which every runtime has in crypto.subtle, in hexadecimal. */
export async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export async function joined(parts: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<Uint8Array> {
  let all = new Uint8Array(0);
  for await (const part of parts) {
    const longer = new Uint8Array(all.length + part.length);
    longer.set(all);
    longer.set(part, all.length);
    all = longer;
  }
  return all;
}

/** A web stream of copies of the bytes, in chunks of these sizes in turn. */
export function streamed(bytes: Uint8Array, sizes: readonly number[]): ReadableStream<Uint8Array> {
  let at = 0;
  let turn = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      const size = sizes[turn++ % sizes.length];
      controller.enqueue(bytes.slice(at, at + size));
      at += size;
    },
  });
}

/** Bytes to read by range: what was lent is spoilt at the next reading, as a source may. */
export function sourceOf(bytes: Uint8Array): {
  byteLength: number;
  read(offset: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
} {
  let lent = new Uint8Array(0);
  return {
    byteLength: bytes.length,
    read: async (offset, length) => {
      lent.fill(0xa5);
      lent = bytes.slice(offset, offset + length);
      return lent;
    },
    close: async () => {},
  };
}
