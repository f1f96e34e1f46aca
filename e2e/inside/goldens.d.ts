/** The golden archives, the broken ones among them under `bad/`: the bundler puts them in. */
declare module "given:goldens" {
  const goldens: Readonly<Record<string, Uint8Array<ArrayBuffer>>>;
  export default goldens;
}
