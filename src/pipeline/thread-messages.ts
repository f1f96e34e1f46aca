import type { PartWork } from "../codec/part.js";
import type { Treatment } from "../codec/quantize.js";
import type { EncodedTensor } from "../codec/tensor.js";
import { FormatError, type FormatErrorCode } from "../errors.js";
import type { Variant } from "../kernels/variant.js";
import type { Place, TensorInfo } from "../types.js";
import type { BlockJob } from "./unpack.js";

// What the pool and its threads say to each other. A thread does what it is asked in the order in which it is asked.

/** What a thread is started with. */
export interface ThreadData {
  readonly module: WebAssembly.Module;
  readonly variant: Variant;
}

/** Work that a thread can be asked for, of a tensor's part that it opened. */
export interface Asked extends PartWork {
  /** The whole tensor, whose only part this is. */
  encode(treatment: Treatment): Promise<EncodedTensor>;
}

/** A part of a tensor, and where its bytes are. Without a place they are asked for. */
export interface Opening {
  readonly tensor: TensorInfo;
  readonly place?: Place;
  /** Its blocks are every `step`-th from `first` on. */
  readonly first: number;
  readonly step: number;
}

export type ToThread =
  | { readonly kind: "open"; readonly part: number; readonly opening: Opening }
  | {
      readonly kind: "ask";
      readonly part: number;
      readonly question: number;
      readonly method: keyof Asked;
      readonly args: readonly unknown[];
    }
  | { readonly kind: "close"; readonly part: number }
  /** A block to be decoded, and where it is read or what it is. */
  | { readonly kind: "unpack"; readonly question: number; readonly job: BlockJob; readonly from: Place | Uint8Array }
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  /** Reading failed: the pool knows why. */
  | { readonly kind: "unread" };

export type FromThread =
  | { readonly kind: "answer"; readonly question: number; readonly answer: unknown }
  | { readonly kind: "error"; readonly question: number; readonly error: SentError }
  | { readonly kind: "read"; readonly part: number; readonly offset: number; readonly byteLength: number }
  | { readonly kind: "worked"; readonly part: number; readonly byteLength: number };

/** An error as a message can carry it: a structured clone forgets its class and most of its fields. */
export interface SentError {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  readonly code?: string;
  readonly offset?: number;
  readonly errno?: number;
  readonly syscall?: string;
}

export function sent(thrown: unknown): SentError {
  const error = (thrown instanceof Error ? thrown : new Error(String(thrown))) as Error & Partial<SentError>;
  const { name, message, stack, code, offset, errno, syscall } = error;
  return { name, message, stack, code, offset, errno, syscall };
}

export function received({ name, message, stack, code, offset, errno, syscall }: SentError): Error {
  if (name === "FormatError") {
    const { length } = new FormatError(code as FormatErrorCode, offset as number, "").message;
    return new FormatError(code as FormatErrorCode, offset as number, message.slice(length));
  }
  const classes: Readonly<Record<string, new (message: string) => Error>> = { RangeError, TypeError };
  return Object.assign(new (classes[name] ?? Error)(message), { stack }, code !== undefined && { code, errno, syscall });
}
