// The memories of WebAssembly in this isolate that a module takes instead of making its own, as onnxruntime-web's does. Imported before it.

const memories = new Set<WeakRef<WebAssembly.Memory>>();

WebAssembly.Memory = class extends WebAssembly.Memory {
  constructor(descriptor: WebAssembly.MemoryDescriptor) {
    super(descriptor);
    memories.add(new WeakRef(this));
  }
};

/** Bytes of all that are still held. */
export function wasmBytes(): number {
  let bytes = 0;
  for (const memory of memories) bytes += memory.deref()?.buffer.byteLength ?? 0;
  return bytes;
}
