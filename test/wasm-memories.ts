// Imported before anything decodes: it sees the memory of every WebAssembly module of this realm, whoever made it, so that no module need export it for tests.

const memories = new Set<WebAssembly.Memory>();
const { Instance } = WebAssembly;

class Watched extends Instance {
  constructor(module: WebAssembly.Module, imports?: WebAssembly.Imports) {
    super(module, imports);
    for (const value of Object.values(this.exports)) if (value instanceof WebAssembly.Memory) memories.add(value);
  }
}

WebAssembly.Instance = Watched as typeof Instance;

/** Bytes of the memories of all instances that were made. They never shrink. */
export function wasmBytes(): number {
  let bytes = 0;
  for (const { buffer } of memories) bytes += buffer.byteLength;
  return bytes;
}
