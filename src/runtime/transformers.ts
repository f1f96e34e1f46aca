// Models of transformers.js straight out of archives: what its `env.fetch` takes.

import { type Archive, type FileInfo, files, toFile } from "../decode/index.js";
import { archiveOf } from "./source.js";

/** Files of a model that an archive has: `onnx/model.onnx`, and its data beside it, `onnx/model.onnx_data`, `onnx/model.onnx_data_1`. */
const MODEL_FILE = /\/([^/]+\.onnx)(_data(?:_\d+)?)?$/;

export interface CoppiceFetchOptions {
  /** What fetches; unless given, the runtime's own. */
  readonly fetch?: (input: string | URL, init?: RequestInit) => Promise<Response>;
  /** Most bytes that the tensors of a model may have in all, as `open` of `coppice/decode` takes it. */
  readonly maxBytes?: number;
}

/**
 * A fetch for transformers.js that takes models out of archives: where `onnx/model.onnx` is asked for, and the server has `onnx/model.onnx.coppice` beside it, the answer is the file
 * that the archive was made of, decoded as it arrives. All else is fetched as it is.
 *
 *     env.fetch = coppiceFetch();
 *
 * @returns what fetches: it throws FormatError where an archive is at fault, also while the answer's body is read
 */
export function coppiceFetch(options: CoppiceFetchOptions = {}): (input: string | URL, init?: RequestInit) => Promise<Response> {
  const { fetch: get = fetch, maxBytes } = options;
  return async (input, init) => {
    const signal = init?.signal ?? undefined;
    const url = archiveUrl(input);
    const response = url === undefined ? undefined : await get(url, withoutRange(init));
    if (response?.ok) {
      const archive = await archiveOf(response, { signal, maxBytes });
      const path = pathname(input);
      const answer = await answered(archive, path.slice(path.lastIndexOf("/") + 1), signal);
      if (answer) return answer;
    } else await response?.body?.cancel();
    return get(input, init);
  };
}

/** A file of the archive's model, if it has that one; then the archive is closed with the answer. */
async function answered(archive: Archive, name: string, signal?: AbortSignal): Promise<Response | undefined> {
  let file: FileInfo | undefined;
  try {
    const all = await files(archive);
    file = all.length === 1 && !name.includes(".onnx_data") ? all[0] : all.find(({ path }) => path === name);
  } finally {
    if (!file) await archive.close();
  }
  if (!file) return undefined;
  const chunks = toFile(archive, { path: file.path, signal });
  const body: UnderlyingDefaultSource<Uint8Array> = {
    async pull(controller): Promise<void> {
      try {
        const { done, value } = await chunks.next();
        if (!done) {
          controller.enqueue(value);
          return;
        }
        controller.close();
      } catch (error) {
        controller.error(error);
      }
      await archive.close();
    },
    async cancel(): Promise<void> {
      await chunks.return();
      await archive.close();
    },
  };
  const headers = { "content-length": String(file.byteLength), "content-type": "application/octet-stream" };
  // Who asks for the length alone does not read: then nothing is decoded, and what is left of the archive need not come.
  return new Response(new ReadableStream(body, { highWaterMark: 0 }), { headers });
}

function pathname(input: string | URL): string {
  const text = String(input);
  const end = text.search(/[?#]/);
  return end < 0 ? text : text.slice(0, end);
}

/** The address of the archive that has a file, if any may. */
function archiveUrl(input: string | URL): string | undefined {
  const path = pathname(input);
  const found = MODEL_FILE.exec(path);
  if (!found) return undefined;
  const model = path.slice(0, path.length - (found[2]?.length ?? 0));
  return `${model}.coppice${String(input).slice(path.length)}`;
}

/** The archive is asked for whole: a range of the file is none of the archive. */
function withoutRange(init: RequestInit | undefined): RequestInit | undefined {
  if (!init?.headers) return init;
  const headers = new Headers(init.headers);
  headers.delete("range");
  return { ...init, headers };
}
