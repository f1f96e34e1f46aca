// pako in the decoder's bundles, which import nothing.

import { readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { build } from "esbuild";

const PAKO = path.dirname(createRequire(import.meta.url).resolve("pako/package.json"));

/** At the top of each bundle that carries pako. */
export const PAKO_BANNER = "// toFile carries pako, a port of zlib: its licences are in pako.LICENSE, beside this file.";

/** The licences of pako and of the zlib that it is a port of, into a file. */
export async function writePakoLicense(file) {
  const [license, zlib] = await Promise.all(["LICENSE", "lib/zlib/README"].map((name) => readFile(path.join(PAKO, name), "utf8")));
  await writeFile(file, `pako (https://github.com/nodeca/pako)\n\n${license}\n\nFor its lib/zlib:\n\n${zlib}`);
}

/** pako, as a statement that declares `pako`. */
async function pakoStatement(target) {
  const { outputFiles } = await build({
    stdin: { contents: 'export { Deflate, Inflate } from "pako";', resolveDir: path.dirname(PAKO) },
    bundle: true,
    minify: true,
    format: "iife",
    globalName: "pako",
    target,
    legalComments: "none",
    write: false,
  });
  return outputFiles[0].text;
}

/**
 * pako's classes, made when the first is asked for: pako fills tables as it is loaded, which a bundler may not leave out, but a function that nothing calls it drops. So a
 * program that has no use for `toFile` does not carry it.
 */
export const carriedPako = {
  name: "carried-pako",
  setup(esbuild) {
    esbuild.onResolve({ filter: /^pako$/ }, () => ({ path: "pako", namespace: "carried-pako", sideEffects: false }));
    esbuild.onLoad({ filter: /.*/, namespace: "carried-pako" }, async () => ({
      contents: `
        let made;
        function classes() {
          if (made === undefined) {
            ${await pakoStatement(esbuild.initialOptions.target)}
            made = pako;
          }
          return made;
        }
        export function Deflate(options) { return new (classes().Deflate)(options); }
        export function Inflate(options) { return new (classes().Inflate)(options); }`,
    }));
  },
};
