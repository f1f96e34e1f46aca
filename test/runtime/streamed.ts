/**
 * A web stream of the bytes in chunks of these sizes in turn, and whether it was cancelled.
 *
 * @param stalls whether it never ends
 */
export function streamed(
  bytes: Uint8Array,
  sizes: readonly number[],
  stalls = false,
): { stream: ReadableStream<Uint8Array>; cancelled: () => boolean } {
  let at = 0;
  let turn = 0;
  let cancelled = false;
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at >= bytes.length) {
        if (stalls) return new Promise(() => undefined);
        return controller.close();
      }
      const size = sizes[turn++ % sizes.length];
      controller.enqueue(bytes.slice(at, at + size));
      at += size;
    },
    cancel() {
      cancelled = true;
    },
  });
  return { stream, cancelled: () => cancelled };
}
