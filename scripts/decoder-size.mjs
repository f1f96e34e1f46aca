// What a program's bundle takes in when all it does is decode: build/decoder-size.js, for size-limit (npm run check).

import { build } from "esbuild";
import { ROOT } from "./wasm.mjs";

await build({
  absWorkingDir: ROOT,
  stdin: { contents: 'export { decode, decodeStream } from "./dist/decode.js";', resolveDir: ROOT },
  bundle: true,
  minify: true,
  format: "esm",
  outfile: "build/decoder-size.js",
  logLevel: "warning",
});
