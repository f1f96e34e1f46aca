/** The golden archives by name, the broken ones under `bad/`. */
declare module "given:goldens" {
  const goldens: Readonly<Record<string, Uint8Array<ArrayBuffer>>>;
  export default goldens;
}

/** The archive whose decoding is timed. */
declare module "given:model" {
  const model: Uint8Array<ArrayBuffer>;
  export default model;
}

/** An archive of LeNet-300-100. */
declare module "given:lenet" {
  const lenet: Uint8Array<ArrayBuffer>;
  export default lenet;
}
