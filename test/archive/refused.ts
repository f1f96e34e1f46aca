import { expect } from "vitest";
import { FormatError, type FormatErrorCode } from "../../src/errors.js";

/** `work` must fail because of the bytes, with this code; gives the error. */
export function refused(work: () => unknown, code: FormatErrorCode, context = ""): FormatError {
  let error: unknown;
  try {
    work();
  } catch (thrown) {
    error = thrown;
  }
  expect(error, `${context}: refused`).toBeInstanceOf(FormatError);
  expect((error as FormatError).code, `${context}: ${(error as FormatError).message}`).toBe(code);
  return error as FormatError;
}

/** The promise must fail because of the bytes, with this code; gives the error. */
export async function refusedLater(promise: Promise<unknown>, code: FormatErrorCode, context = ""): Promise<FormatError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return refused(
    () => {
      if (error !== undefined) throw error;
    },
    code,
    context,
  );
}
