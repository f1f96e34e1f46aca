import { type FileArchive, files, toFile } from "../decode/file.js";
import { FormatError } from "../errors.js";

/** How the files of an ONNX model are taken out of an archive. */
export interface OnnxFileOptions {
  /** Which of several files is the model: the first unless given, as the file that was compressed comes before those that it names. */
  readonly path?: string;
  /** Stops the work: the signal's reason comes out of it. */
  readonly signal?: AbortSignal;
  /** Called as the files grow. What it throws stops the work, and comes out of it. */
  readonly onProgress?: (progress: { readonly doneBytes: number; readonly totalBytes: number }) => void;
}

/**
 * An ONNX model in memory, and the files of data beside it, as onnxruntime's option `externalData` takes them. (Where the model says the place as `./data.bin`, onnxruntime-node 1.30 finds
 * it on disk alone, whatever path is given here.)
 */
export interface OnnxFiles {
  readonly model: Uint8Array;
  readonly externalData: readonly { readonly path: string; readonly data: Uint8Array }[];
}

/** The version of the format, as a varint, is what ONNX files begin with. */
const FIRST_TAG = 0x08;

/**
 * Decodes the files of an archive's model, each into one buffer of its length.
 *
 * @throws FormatError where the archive is at fault, `UNSUPPORTED` where its model is no ONNX, `LIMIT` where this runtime cannot allocate a file; RangeError naming `path`
 */
export async function onnxFiles(archive: FileArchive, { path, signal, onProgress }: OnnxFileOptions = {}): Promise<OnnxFiles> {
  const all = await files(archive);
  const model = path === undefined ? all[0] : all.find((file) => file.path === path);
  if (!model) throw new RangeError(`path must be that of a file of the model, got ${JSON.stringify(path)}`);
  const totalBytes = all.reduce((sum, { byteLength }) => sum + byteLength, 0);
  let doneBytes = 0;
  const read = async (file: (typeof all)[number]): Promise<Uint8Array> => {
    const data = allocate(file.byteLength);
    let at = 0;
    for await (const chunk of toFile(archive, { path: file.path, signal })) {
      data.set(chunk, at);
      if (at === 0 && file === model && data[0] !== FIRST_TAG)
        throw new FormatError("UNSUPPORTED", 0, "the model of this archive is no ONNX, which is all that onnxruntime runs");
      at += chunk.length;
      doneBytes += chunk.length;
      onProgress?.({ doneBytes, totalBytes });
    }
    return data;
  };
  const bytes = await read(model);
  const externalData: { path: string; data: Uint8Array }[] = [];
  for (const file of all) if (file !== model) externalData.push({ path: file.path, data: await read(file) });
  return { model: bytes, externalData };
}

function allocate(byteLength: number): Uint8Array {
  try {
    return new Uint8Array(byteLength);
  } catch {
    throw new FormatError("LIMIT", 0, `cannot allocate the ${byteLength} bytes of a file`);
  }
}
