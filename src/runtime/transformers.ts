// Models of transformers.js straight out of archives: what its `env.fetch` takes.

import { type Archive, type FileInfo, FormatError, files, type OpenOptions, toFile } from "../decode/index.js";
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
 * that the archive was made of, decoded as it arrives. All else is fetched as it is, and so is the model where what the server has there is no archive.
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
    const response = url === undefined ? undefined : await get(url, whole(init));
    const archive = response && (await archiveIn(response, { signal, maxBytes }));
    if (archive) {
      const path = pathname(input);
      const head = init?.method?.toUpperCase() === "HEAD";
      const answer = await answered(archive, path.slice(path.lastIndexOf("/") + 1), head, signal);
      if (answer) return answer;
    }
    return get(input, init);
  };
}

/** The archive that was answered with, if it is one: servers of pages answer with a page where they have no such file. What is none is let go. */
async function archiveIn(response: Response, options: OpenOptions): Promise<Archive | undefined> {
  if (!response.ok || !response.body) {
    await response.body?.cancel();
    return undefined;
  }
  try {
    return await archiveOf(response, options);
  } catch (error) {
    if (error instanceof FormatError && (error.code === "MAGIC" || (error.code === "TRUNCATED" && error.offset === 0))) return undefined;
    throw error;
  }
}

/** A file of the archive's model, if it has that one; then the archive is closed with the answer. Of a `head` nothing is decoded. */
async function answered(archive: Archive, name: string, head: boolean, signal?: AbortSignal): Promise<Response | undefined> {
  let file: FileInfo | undefined;
  try {
    const all = await files(archive);
    file = all.length === 1 && !name.includes(".onnx_data") ? all[0] : all.find(({ path }) => path === name);
  } finally {
    if (!file || head) await archive.close();
  }
  if (!file) return undefined;
  const headers = { "content-length": String(file.byteLength), "content-type": "application/octet-stream" };
  if (head) return new Response(null, { headers });
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

/** The archive is asked for, and whole: a range of the file is none of the archive, and what is in the archive says its bytes alone. */
function whole(init: RequestInit | undefined): RequestInit | undefined {
  if (!init) return init;
  const headers = new Headers(init.headers);
  headers.delete("range");
  return { ...init, method: "GET", headers };
}
