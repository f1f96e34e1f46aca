import { checkInteger } from "../check.js";
import { FormatError } from "../errors.js";
import type { FileTemplate, OpenModel, Restored, Source, TensorInfo } from "../types.js";
import { holeOf, type ReadRange, rowMajor, TensorReaders } from "./elements.js";
import { checkNpyEnd, type NpyHeader, readNpyHeader } from "./npy.js";
import { rolesOf } from "./recurrent.js";
import { readZip, type ZipDirectory, type ZipEntry } from "./zip.js";
import { DEFLATED, STORED } from "./zip-fields.js";
import { inflated, inflatedPrefix, MAX_INFLATED_BYTES, storedRange } from "./zip-member.js";
import { inFileOrder, type MemberPieces, zipTemplate } from "./zip-template.js";

interface TensorMember {
  readonly entry: ZipEntry;
  readonly header: NpyHeader;
}

/** The header of a member that is an array of numbers; undefined for arrays of strings, objects or records. */
async function readMember(source: Source, entry: ZipEntry): Promise<NpyHeader | undefined> {
  const where = `${JSON.stringify(entry.name)}: `;
  const read: ReadRange =
    entry.method === STORED ? (offset, byteLength) => source.read(entry.dataOffset + offset, byteLength) : inflatedPrefix(source, entry);
  let header: NpyHeader;
  try {
    header = await readNpyHeader(read, entry.size, where);
  } catch (error) {
    if (error instanceof FormatError && error.code === "UNSUPPORTED") return undefined;
    throw error;
  }
  checkNpyEnd(header, entry.size, where);
  if (entry.method === DEFLATED && entry.size > MAX_INFLATED_BYTES) {
    throw new FormatError("LIMIT", entry.centralOffset + 24, `${where}a deflated array of ${entry.size} bytes`);
  }
  return header;
}

/**
 * Opens a .npz file: a zip of .npy files. Members that are not .npy, and arrays of strings, objects or records, are no tensors;
 * they are kept in the template as they are. A deflated member is inflated as a whole when it is asked for, and
 * held until it was read to its end; the same goes for column-major arrays.
 *
 * @param directory of the file, where it was read already
 * @throws FormatError, and the source stays the caller's.
 */
export async function openNpz(source: Source, directory?: ZipDirectory): Promise<OpenModel> {
  const zip = directory ?? (await readZip(source));
  const members: TensorMember[] = [];
  const tensors: TensorInfo[] = [];
  const indexOf = new Map<ZipEntry, number>();
  const arrays = inFileOrder(zip).filter(({ name }) => name.endsWith(".npy"));
  if (arrays.length === 0 && zip.count > 0) throw new FormatError("MAGIC", 0, "a zip without a .npy file, which is not a .npz");
  for (const entry of arrays) {
    const header = await readMember(source, entry);
    if (!header) continue;
    indexOf.set(entry, members.length);
    members.push({ entry, header });
    tensors.push({ name: entry.name.slice(0, -".npy".length), dtype: header.dtype, shape: header.shape });
  }

  const readers = new TensorReaders((tensor) => {
    const { entry, header } = members[tensor];
    let range: ReadRange;
    if (entry.method === STORED) {
      range = storedRange(source, entry, header.bytes);
    } else {
      let whole: Promise<Uint8Array> | undefined;
      range = async (offset, byteLength) => {
        whole ??= inflated(source, entry);
        const from = header.bytes.length + offset;
        return (await whole).subarray(from, from + byteLength);
      };
    }
    return rowMajor(header, range);
  });

  return {
    format: "npz",
    checkedInOrder: true,
    byteLength: source.byteLength,
    tensors,
    role: rolesOf(tensors),
    async read(tensor: number, offset: number, byteLength: number): Promise<Uint8Array> {
      checkInteger(tensor, "tensor", 0, members.length - 1);
      return readers.read(tensor, members[tensor].header.dataBytes, offset, byteLength);
    },
    async templates(restored: Restored): Promise<readonly FileTemplate[]> {
      readers.clear();
      const piecesOf = async (entry: ZipEntry): Promise<MemberPieces | undefined> => {
        const tensor = indexOf.get(entry);
        if (tensor === undefined) return undefined;
        const { header } = members[tensor];
        return [{ kind: "bytes", bytes: header.bytes }, holeOf(header, tensor)];
      };
      return [await zipTemplate(source, zip, tensors, restored, piecesOf)];
    },
    close: () => source.close(),
  };
}
