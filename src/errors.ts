/**
 * Why a file was refused. The set is closed: a program may switch on it.
 *
 * - `MAGIC`        the bytes are not of the format they were opened as
 * - `VERSION`      a version of the format that this build does not read
 * - `TRUNCATED`    the file ends before what it announces
 * - `TRAILING`     bytes are left over where the format says that it ends
 * - `CHECKSUM`     a checksum does not match the bytes that it covers
 * - `CORRUPT`      a field has a value that the format forbids
 * - `DUPLICATE`    a tensor name or file path stands twice
 * - `LIMIT`        more than a stated limit, or than the caller's ceiling
 * - `UNSUPPORTED`  well formed, but a feature that Coppice does not handle
 */
export type FormatErrorCode =
  | "MAGIC"
  | "VERSION"
  | "TRUNCATED"
  | "TRAILING"
  | "CHECKSUM"
  | "CORRUPT"
  | "DUPLICATE"
  | "LIMIT"
  | "UNSUPPORTED";

/** The file is at fault, not the caller. The same bytes always give the same error, so a cache may drop them. */
export class FormatError extends Error {
  override readonly name = "FormatError";
  declare readonly code: FormatErrorCode;
  /** Bytes from the start of the file (of the member, where the file is a zip) to the field at fault. */
  declare readonly offset: number;

  constructor(code: FormatErrorCode, offset: number, detail: string) {
    super(`${code} at byte ${offset}: ${detail}`);
    this.code = code;
    this.offset = offset;
  }
}
