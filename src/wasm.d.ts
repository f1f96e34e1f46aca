/** A kernel module as bytes: the bundler embeds them. */
declare module "*/engine.scalar.wasm" {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}

declare module "*/engine.simd.wasm" {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}

// Of the decoder and of what runs layers a string of one character for each byte, or, in the build for hosts that compile none, the module itself.

declare module "*/decoder.wasm" {
  const module: string | WebAssembly.Module;
  export default module;
}

declare module "*/runner.scalar.wasm" {
  const module: string | WebAssembly.Module;
  export default module;
}

declare module "*/runner.simd.wasm" {
  const module: string | WebAssembly.Module;
  export default module;
}
