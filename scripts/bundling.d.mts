export const bundling: {
  readonly bundle: true;
  readonly target: string;
  readonly plugins: import("esbuild").Plugin[];
};
export const TEXT_WASM: RegExp;
export function textScript(path: string): Promise<string>;
