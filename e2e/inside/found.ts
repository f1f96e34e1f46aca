/** A tensor as test/golden/expected.json describes it. */
export interface Found {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly sha256: string;
}

export interface Wanted {
  /** Archives of one file, which is to be made again. */
  readonly files: readonly string[];
}

type ByTitleAndArchive<T> = Record<string, Record<string, T>>;

/** What came out, by `library: way` and by the archive's name. */
export interface Conformance {
  readonly tensors: ByTitleAndArchive<Found[]>;
  /** The code that a broken archive was refused with. */
  readonly refusals: ByTitleAndArchive<string>;
  /** SHA-256 of the file. */
  readonly files: ByTitleAndArchive<string>;
}
