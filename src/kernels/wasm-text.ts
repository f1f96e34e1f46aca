/** The module of an import: in the build for hosts that compile no bytes it is the module itself, which may come from another realm; else a string, as scripts/bundling.mjs makes it. */
export function moduleOf(wasm: string | WebAssembly.Module): WebAssembly.Module {
  return typeof wasm === "string" ? new WebAssembly.Module(bytesOf(wasm)) : wasm;
}

/** By a loop: `Uint8Array.from` takes four times as long, of what a program waits for its first tensor. */
function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i) ^ 64;
  return bytes;
}
