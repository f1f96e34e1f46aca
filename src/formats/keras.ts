import { MAX_SHELL_BYTES } from "../archive/limits.js";
import { checkInteger } from "../check.js";
import { FormatError } from "../errors.js";
import type { FileTemplate, OpenModel, Piece, Place, Restored, Role, Source, TensorInfo } from "../types.js";
import { holeOf, rowMajor, TensorReaders } from "./elements.js";
import { datasetOf } from "./h5-dataset.js";
import { H5_SIGNATURE, H5File, h5Offset } from "./h5-file.js";
import { groupLinks } from "./h5-groups.js";
import { isKerasWeight } from "./keras-roles.js";
import { quoted } from "./quoted.js";
import { rolesOf } from "./recurrent.js";
import type { ZipDirectory, ZipEntry } from "./zip.js";
import { memberSource } from "./zip-member.js";
import { type MemberPieces, zipTemplate } from "./zip-template.js";

/** Bytes between datasets are kept in the template, up to so many in one run. */
const MOST_LITERAL_BYTES = 1 << 16;

/** Real paths stay below 300 characters; each dataset has one, which takes what its groups take again. */
const MOST_PATH_LENGTH = 1024;

/** The member of a `.keras` file that has its weights. */
const WEIGHTS_MEMBER = "model.weights.h5";

export function isH5(head: Uint8Array): boolean {
  return H5_SIGNATURE.every((byte, i) => head[i] === byte);
}

/** A tensor, or what stands between tensors. */
interface Run {
  readonly info: TensorInfo;
  readonly bigEndian: boolean;
  /** In the file. */
  readonly start: number;
  readonly end: number;
}

/** The datasets whose bytes stand in one run, in the order of the file. */
async function datasetsOf(source: Source, base: number): Promise<Run[]> {
  const file = new H5File(source, base);
  const runs: (Run & { readonly offset: number })[] = [];
  const seen = new Set<number>();
  const left: { readonly path: string; readonly address: number }[] = [{ path: "", address: await file.root() }];
  for (let next = left.pop(); next; next = left.pop()) {
    const { path, address } = next;
    // An object may be in several groups, and in one of its own: it is one tensor, by its first name.
    if (seen.has(address)) continue;
    seen.add(address);
    const messages = await file.messages(address);
    const dataset = datasetOf(messages);
    if (dataset) {
      const { dtype, shape, bigEndian, byteLength, offset } = dataset;
      const start = base + dataset.address;
      if (byteLength > source.byteLength - start) {
        throw new FormatError(
          "TRUNCATED",
          offset,
          `${quoted(path)} needs ${byteLength} bytes from ${start}, the file has ${source.byteLength}`,
        );
      }
      runs.push({ info: { name: path, dtype, shape }, bigEndian, start, end: start + byteLength, offset });
      continue;
    }
    const links = await groupLinks(file, messages);
    const names = new Set<string>();
    for (const { name, address: of, offset } of links.reverse()) {
      if (names.has(name)) throw new FormatError("DUPLICATE", offset, `two objects of a group are called ${quoted(name)}`);
      names.add(name);
      const inner = path === "" ? name : `${path}/${name}`;
      if (inner.length > MOST_PATH_LENGTH) throw new FormatError("LIMIT", offset, `a path of ${inner.length} characters`);
      left.push({ path: inner, address: of });
    }
  }
  runs.sort((a, b) => a.start - b.start || a.end - b.end);
  for (const [i, { info, start, offset }] of runs.entries()) {
    const before = runs[i - 1];
    if (before && start < before.end) {
      throw new FormatError("CORRUPT", offset, `${quoted(info.name)} begins at byte ${start}, within ${quoted(before.info.name)}`);
    }
  }
  return runs;
}

/** All that a file has tensors for: its datasets, and what stands between them where that is long. */
function withRests(datasets: readonly Run[], byteLength: number): Run[] {
  const taken = new Set(datasets.map(({ info }) => info.name));
  const all: Run[] = [];
  const rest = (start: number, end: number): void => {
    if (end - start <= MOST_LITERAL_BYTES) return;
    let name = `(rest at ${start})`;
    while (taken.has(name)) name += "_";
    all.push({ info: { name, dtype: "U8", shape: [end - start] }, bigEndian: false, start, end });
  };
  let at = 0;
  for (const dataset of datasets) {
    rest(at, dataset.start);
    all.push(dataset);
    at = dataset.end;
  }
  rest(at, byteLength);
  return all;
}

/**
 * Opens an HDF5 file, as Keras writes them. Its datasets of numbers are the tensors, named by their paths, and all else stays as it is, so that the file comes back byte for byte where they
 * are exact. What is chunked, as all that is compressed, stays as it is too, whatever it holds; where it is long, as tensors of bytes, `(rest at 4096)`.
 *
 * @param offset where the HDF5 file begins, where that is known
 * @throws FormatError, and the source stays the caller's
 */
export async function openKeras(source: Source, offset = 0): Promise<OpenModel> {
  const runs = withRests(await datasetsOf(source, offset), source.byteLength);
  return h5Model(source, runs, async () => ({ path: "", pieces: await piecesOf(source, runs) }));
}

/** Whether a zip is what Keras 3 saves. */
export function isKerasZip({ entries }: ZipDirectory): boolean {
  return entries.some(({ name }) => name === WEIGHTS_MEMBER);
}

/**
 * Opens a `.keras` file: a zip whose weights are an HDF5 file. See `openKeras`.
 *
 * @throws FormatError, with offsets in the member where it is at fault, and the source stays the caller's
 */
export async function openKerasZip(source: Source, zip: ZipDirectory): Promise<OpenModel> {
  const entry = zip.entries.find(({ name }) => name === WEIGHTS_MEMBER) as ZipEntry;
  const member = await memberSource(source, entry);
  const base = await h5Offset(member);
  if (base === undefined) throw new FormatError("CORRUPT", 0, `${quoted(WEIGHTS_MEMBER)} is no HDF5 file`);
  const runs = withRests(await datasetsOf(member, base), member.byteLength);
  const infos = runs.map(({ info }) => info);
  const pieces = async (of: ZipEntry): Promise<MemberPieces | undefined> => (of === entry ? piecesOf(member, runs) : undefined);
  const model = h5Model(member, runs, (restored) => zipTemplate(source, zip, infos, restored, pieces));
  return { ...model, byteLength: source.byteLength, close: () => source.close() };
}

function h5Model(source: Source, runs: readonly Run[], template: (restored: Restored) => Promise<FileTemplate>): OpenModel {
  const readers = new TensorReaders((tensor) => {
    const { info, bigEndian, start, end } = runs[tensor];
    const elements = { ...info, bigEndian, columnMajor: false, dataBytes: end - start };
    return rowMajor(elements, (offset, byteLength) => source.read(start + offset, byteLength));
  });
  const tensors = runs.map(({ info }) => info);
  return {
    format: "keras",
    byteLength: source.byteLength,
    tensors,
    role: rolesOf(tensors, (tensor): Role => (isKerasWeight(tensors[tensor]) ? "weight" : "other")),
    async read(tensor: number, offset: number, byteLength: number): Promise<Uint8Array> {
      checkInteger(tensor, "tensor", 0, runs.length - 1);
      const { start, end } = runs[tensor];
      return readers.read(tensor, end - start, offset, byteLength);
    },
    place(tensor: number): Place | undefined {
      const { bigEndian, start } = runs[tensor];
      const { place } = source;
      return bigEndian ? undefined : place && { fd: place.fd, offset: place.offset + start };
    },
    async templates(restored: Restored): Promise<readonly FileTemplate[]> {
      readers.clear();
      return [await template(restored)];
    },
    close: () => source.close(),
  };
}

async function piecesOf(source: Source, runs: readonly Run[]): Promise<Exclude<Piece, { kind: "deflate" }>[]> {
  const pieces: Exclude<Piece, { kind: "deflate" }>[] = [];
  let at = 0;
  let kept = 0;
  const copyTo = async (to: number): Promise<void> => {
    kept += to - at;
    if (kept > MAX_SHELL_BYTES) throw new FormatError("LIMIT", at, `more than ${MAX_SHELL_BYTES} bytes have to be kept as they are`);
    if (to > at) pieces.push({ kind: "bytes", bytes: (await source.read(at, to - at)).slice() });
  };
  for (const [tensor, { bigEndian, start, end }] of runs.entries()) {
    await copyTo(start);
    pieces.push(holeOf({ bigEndian, columnMajor: false }, tensor));
    at = end;
  }
  await copyTo(source.byteLength);
  return pieces;
}
