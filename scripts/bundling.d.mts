export const bundling: {
  readonly bundle: true;
  readonly target: string;
  readonly plugins: import("esbuild").Plugin[];
};
export function decoderScript(path: string): Promise<string>;
