import * as decode from "coppice/decode";
import * as reference from "coppice/reference";

export type { Tensor, TensorEntry as Entry } from "coppice/decode";

/** What `coppice/decode` and `coppice/reference` both promise. */
export type Library = Pick<typeof decode, "decode" | "decodeStream" | "open" | "toFile">;

export const LIBRARIES: { readonly decode: Library; readonly reference: Library } = { decode, reference };
