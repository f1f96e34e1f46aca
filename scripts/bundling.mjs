/** What every esbuild call here shares. Without `target` the binary loader emits `Uint8Array.fromBase64`, which Node 20 to 24 lack. */
export const bundling = {
  bundle: true,
  format: "esm",
  target: "es2022",
  packages: "external",
  loader: { ".wasm": "binary" },
  logLevel: "warning",
};
