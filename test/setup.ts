import { freshWasm } from "../scripts/wasm.mjs";

export default async function setup(): Promise<void> {
  await freshWasm();
}
