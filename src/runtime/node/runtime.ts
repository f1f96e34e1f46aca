import { createRequire } from "node:module";
import path from "node:path";

// As much of onnxruntime-node as is used here: whoever has not installed it has no types of it.

export interface RuntimeTensor {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: ArrayBufferView;
  readonly location: "cpu";
}

export interface RuntimeValue {
  readonly name: string;
  readonly isTensor: boolean;
  readonly type?: string;
  readonly shape?: readonly (number | string)[];
}

export interface RuntimeSession {
  readonly inputMetadata: readonly RuntimeValue[];
  readonly outputMetadata: readonly RuntimeValue[];
  run(
    feeds: Readonly<Record<string, RuntimeTensor>>,
    options?: Readonly<Record<string, unknown>>,
  ): Promise<Readonly<Record<string, RuntimeTensor>>>;
  release(): Promise<void>;
}

export interface Runtime {
  readonly InferenceSession: {
    create(model: string | Uint8Array, options: Readonly<Record<string, unknown>>): Promise<RuntimeSession>;
  };
}

/** The package is not installed that the work takes. */
export class MissingPackageError extends Error {
  override readonly name = "MissingPackageError";

  constructor(packageName: string) {
    super(`${packageName} is not installed; npm install ${packageName} does it`);
  }
}

const PACKAGE = "onnxruntime-node";

/** Whether that the package is not there is all that is wrong. */
function isMissing(error: unknown): boolean {
  const { code, message } = error as NodeJS.ErrnoException;
  return (code === "ERR_MODULE_NOT_FOUND" || code === "MODULE_NOT_FOUND") && message.includes(`'${PACKAGE}'`);
}

/**
 * onnxruntime-node, where this package finds it, or else in the current folder's project: a command that is installed for all projects has no peers of its own.
 *
 * @throws MissingPackageError where neither has it
 */
export async function loadRuntime(
  load: (name: string) => Promise<unknown> = (name) => import(name),
  folder: string = process.cwd(),
): Promise<Runtime> {
  try {
    return runtimeOf(await load(PACKAGE));
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  try {
    return createRequire(path.join(folder, "package.json"))(PACKAGE) as Runtime;
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new MissingPackageError(PACKAGE);
  }
}

/** A CommonJS module that is imported has what it exports as its default. */
function runtimeOf(module: unknown): Runtime {
  const { default: whole } = module as { readonly default?: Runtime };
  return whole ?? (module as Runtime);
}
