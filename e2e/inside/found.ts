/** A tensor as test/golden/expected.json describes it. */
export interface Found {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly sha256: string;
}

/** Titles that are left out until a library exports something. */
export interface Pending {
  readonly library: "decode" | "reference";
  /** How they begin. */
  readonly title: string;
  readonly until: string;
}

export interface Wanted {
  readonly pending: readonly Pending[];
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
  /** What was pending and is there. */
  readonly arrived: readonly Pending[];
}
