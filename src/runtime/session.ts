import type { Archive, OpenOptions } from "../decode/index.js";
import { type OnnxFileOptions, onnxFiles } from "./onnx-files.js";
import { type ArchiveSource, archiveOf, isArchive } from "./source.js";

// As much of onnxruntime as is used here: whoever has not installed one of its packages has no types of it.

/** A session, where no package says more of it. */
export interface Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  // biome-ignore lint/suspicious/noExplicitAny: tensors are classes of the package that made the session.
  run(feeds: Readonly<Record<string, any>>): Promise<Readonly<Record<string, any>>>;
  release(): Promise<void>;
}

/** onnxruntime-node, onnxruntime-web, or one of its builds. */
export interface OnnxRuntime<S> {
  readonly InferenceSession: { create(model: Uint8Array, options?: object): Promise<S> };
}

export interface SessionOptions<S = Session> extends OpenOptions, OnnxFileOptions {
  /** The package, or a build of it, that makes the session: what `import * as ort from "onnxruntime-web/webgpu"` gives. */
  readonly ort?: OnnxRuntime<S>;
  /** The options of `InferenceSession.create`. */
  readonly session?: object;
}

/**
 * A session of the ONNX model in an archive. Of a file one buffer is made and handed over; the archive is let go before.
 *
 * @param load gives the package unless `options.ort` does
 */
export async function sessionOf<S>(
  source: ArchiveSource,
  { ort, session, ...options }: SessionOptions<S>,
  load: () => Promise<OnnxRuntime<S>>,
): Promise<S> {
  // That it is missing is told before anything is fetched.
  const { InferenceSession } = ort ?? (await load());
  const { model, externalData } = await filesOf(source, options);
  const given = (session as { readonly externalData?: readonly unknown[] } | undefined)?.externalData ?? [];
  const others = externalData.length > 0 ? { externalData: [...externalData, ...given] } : {};
  return InferenceSession.create(model, { ...session, ...others });
}

async function filesOf(source: ArchiveSource, options: OpenOptions & OnnxFileOptions): ReturnType<typeof onnxFiles> {
  const archive: Archive = await archiveOf(source, options);
  try {
    return await onnxFiles(archive, options);
  } finally {
    if (!isArchive(source)) await archive.close();
  }
}
