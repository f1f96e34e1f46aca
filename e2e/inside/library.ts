import * as decode from "coppice/decode";
import * as reference from "coppice/reference";

export type { Tensor, TensorEntry as Entry } from "coppice/decode";

type Decoder = Pick<typeof decode, "decode" | "decodeStream" | "open">;

/** What `coppice/decode` and `coppice/reference` both promise. */
export interface Library extends Decoder {
  toFile(archive: decode.Archive, options?: { path?: string }): AsyncIterable<Uint8Array>;
}

const libraries: { readonly decode: Decoder; readonly reference: Decoder } = { decode, reference };

export const LIBRARIES = libraries as { readonly decode: Library; readonly reference: Library };
