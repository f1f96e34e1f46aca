/** A kernel module as bytes: the bundler embeds them. */
declare module "*.wasm" {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}
