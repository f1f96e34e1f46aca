export const ROOT: string;
export const WASM_MODULES: readonly { entry: string; target: string; file: string }[];
export function buildWasm(): Promise<void>;
export function freshWasm(): Promise<void>;
