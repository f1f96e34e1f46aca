import { FormatError } from "../errors.js";
import type { OpenModel, Source } from "../types.js";
import { MAX_PICKLE_BYTES, unpickle } from "./pickle.js";
import { torchGlobal } from "./pytorch-globals.js";
import { torchModel } from "./pytorch-model.js";
import { TorchStorages } from "./pytorch-storages.js";
import type { TorchStorage } from "./pytorch-values.js";
import type { ZipDirectory, ZipEntry } from "./zip.js";
import { STORED } from "./zip-fields.js";
import { memberSource } from "./zip-member.js";
import { zipTemplate } from "./zip-template.js";

/** "little" and "big" are shorter. */
const MAX_BYTEORDER_BYTES = 16;

/** The pickle of what was saved, in the one folder of the zip. */
function pickleEntry({ entries }: ZipDirectory): ZipEntry | undefined {
  return entries.find(({ name }) => /^[^/]+\/data\.pkl$/.test(name));
}

/** Whether a zip is a file of PyTorch. */
export function isPytorchZip(zip: ZipDirectory): boolean {
  return pickleEntry(zip) !== undefined;
}

/** Files that do not say so were written little-endian: so did all machines that PyTorch ran on. */
async function isBigEndian(source: Source, entry: ZipEntry | undefined): Promise<boolean> {
  if (entry === undefined) return false;
  const member = await memberSource(source, entry, MAX_BYTEORDER_BYTES);
  const order = new TextDecoder().decode(await member.read(0, member.byteLength));
  if (order !== "little" && order !== "big")
    throw new FormatError("CORRUPT", 0, `${JSON.stringify(entry.name)}: a byte order is little or big`);
  return order === "big";
}

/**
 * Opens what `torch.save` writes since version 1.6: a zip of a pickle and a member for each storage. The checksums of members
 * are not looked at, as PyTorch does not: it writes zeros where it is told to (`set_crc32_options`). They are
 * right for what comes back changed.
 *
 * @param name of a tensor that is saved alone
 * @throws FormatError, with offsets in the pickle where it is at fault, and the source stays the caller's
 */
export async function openPytorchZip(source: Source, zip: ZipDirectory, name?: string): Promise<OpenModel> {
  const pickle = pickleEntry(zip);
  if (pickle === undefined) throw new FormatError("MAGIC", 0, "a zip without a data.pkl, which is not of PyTorch");
  const folder = pickle.name.slice(0, -"data.pkl".length);
  const byName = new Map(zip.entries.map((entry) => [entry.name, entry]));
  const bigEndian = await isBigEndian(source, byName.get(`${folder}byteorder`));

  const where = `${JSON.stringify(pickle.name)}: `;
  const storages = new TorchStorages(where);
  const member = await memberSource(source, pickle, MAX_PICKLE_BYTES);
  const { value: root, end } = await unpickle(member, 0, {
    where,
    global: torchGlobal,
    persistent: (id, offset) => storages.refer(id, offset),
  });
  if (end !== member.byteLength) throw new FormatError("TRAILING", end, `${where}${member.byteLength - end} bytes behind the pickle`);

  const storageOf = new Map<ZipEntry, TorchStorage>();
  const entryOf = new Map<TorchStorage, ZipEntry>();
  for (const storage of storages.values()) {
    const title = `${folder}data/${storage.key}`;
    const entry = byName.get(title);
    const fail = (code: "CORRUPT" | "UNSUPPORTED", detail: string): never => {
      throw new FormatError(code, storage.offset, `${where}${JSON.stringify(title)} ${detail}`);
    };
    if (!entry) return fail("CORRUPT", "is not there");
    if (entry.size !== storage.byteLength) fail("CORRUPT", `has ${entry.size} bytes, its storage ${storage.byteLength}`);
    if (entry.method !== STORED) fail("UNSUPPORTED", "is deflated");
    storageOf.set(entry, storage);
    entryOf.set(storage, entry);
  }
  return torchModel(
    {
      ...{ source, root, storages, bigEndian },
      dataOffset: (storage) => entryOf.get(storage)!.dataOffset,
      template(tensors, restored, pieces) {
        return zipTemplate(source, zip, tensors, restored, async (entry) => {
          const storage = storageOf.get(entry);
          return storage && pieces(storage);
        });
      },
    },
    name,
  );
}
