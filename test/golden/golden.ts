/** What a golden archive holds; `tensors` is empty where only the files are known. */
export interface Golden {
  readonly tensors: readonly {
    readonly name: string;
    readonly dtype: string;
    readonly shape: readonly number[];
    readonly sha256: string;
  }[];
  readonly files: readonly { readonly path: string; readonly sha256: string }[];
}
