import { FormatError } from "../errors.js";
import { dtypeBits, type OpenModel, type Source } from "../types.js";
import { unpickle } from "./pickle.js";
import { MAX_UNITS } from "./pickle-stack.js";
import { PickleDict, PickleList, type PickleValue } from "./pickle-values.js";
import { PieceList } from "./piece-list.js";
import { torchGlobal } from "./pytorch-globals.js";
import { torchModel } from "./pytorch-model.js";
import { TorchStorages } from "./pytorch-storages.js";
import type { TorchStorage } from "./pytorch-values.js";

const MAGIC = 0x1950a86a20f9469cfc6cn;
const PROTOCOL_VERSION = 1001;

/** The magic number as a pickle: LONG1 and 10 bytes, in protocols 4 and 5 behind a frame of 13 bytes. */
const LONG1_OF_10: readonly number[] = [0x8a, 0x0a];
const FRAME_OF_13: readonly number[] = [0x95, 0x0d];

/** The number of elements before each storage. */
const COUNT_BYTES = 8;

/** Whether a file begins as `torch.save` began them up to version 1.5. No header of safetensors is as long as these bytes would say. */
export function isPytorchLegacy(head: Uint8Array): boolean {
  const [proto, version, ...next] = head.subarray(0, 4);
  const start = version < 4 ? LONG1_OF_10 : FRAME_OF_13;
  return proto === 0x80 && version >= 2 && version <= 5 && next.length === 2 && start.every((byte, i) => byte === next[i]);
}

/** What the pickles around that of what was saved may be read into: numbers and the keys of storages. */
const PLAIN_UNITS = MAX_UNITS / 8;

/** A pickle that asks for no name and no storage. */
async function plainPickle(source: Source, from: number): Promise<{ value: PickleValue; end: number }> {
  return unpickle(source, from, { maxUnits: PLAIN_UNITS, global: () => undefined });
}

/** Reads what stands before the pickle of what was saved, and gives where that begins. */
async function readPreamble(source: Source): Promise<number> {
  const magic = await plainPickle(source, 0);
  if (magic.value !== MAGIC) throw new FormatError("MAGIC", 0, "a pickle that is not of PyTorch");
  const version = await plainPickle(source, magic.end);
  if (version.value !== PROTOCOL_VERSION) throw new FormatError("VERSION", magic.end, `protocol ${String(version.value)} of PyTorch`);
  const system = await plainPickle(source, version.end);
  const little = system.value instanceof PickleDict ? system.value.entries.get("little_endian") : undefined;
  if (little === false) throw new FormatError("UNSUPPORTED", version.end, "a file that a big-endian machine wrote in the old format");
  if (little !== true) throw new FormatError("CORRUPT", version.end, "a file must say whether its machine is little-endian");
  return system.end;
}

/** Where the storages' bytes begin. They follow their keys, each behind its number of elements, to the end of the file. */
async function readStorages(source: Source, from: number, storages: TorchStorages): Promise<Map<TorchStorage, number>> {
  const keys = await plainPickle(source, from);
  if (!(keys.value instanceof PickleList)) throw new FormatError("CORRUPT", from, "the keys of the storages are no list");
  const offsets = new Map<TorchStorage, number>();
  let at = keys.end;
  for (const key of keys.value.items) {
    const storage = typeof key === "string" ? storages.get(key) : undefined;
    if (!storage) throw new FormatError("CORRUPT", from, "the file has a storage that is not asked for");
    const title = `storage ${JSON.stringify(storage.key)}`;
    if (offsets.has(storage)) throw new FormatError("DUPLICATE", from, `${title} stands twice`);
    if (COUNT_BYTES > source.byteLength - at) throw new FormatError("TRUNCATED", source.byteLength, `${title} is announced`);
    const head = await source.read(at, COUNT_BYTES);
    const count = new DataView(head.buffer, head.byteOffset).getBigUint64(0, true);
    if (count * BigInt(dtypeBits(storage.dtype) / 8) !== BigInt(storage.byteLength)) {
      throw new FormatError("CORRUPT", at, `${title} has ${count} elements, not the ${storage.byteLength} bytes that the pickle says`);
    }
    const present = source.byteLength - at - COUNT_BYTES;
    if (storage.byteLength > present) {
      throw new FormatError("TRUNCATED", source.byteLength, `${title} has ${storage.byteLength} bytes, ${present} are there`);
    }
    offsets.set(storage, at + COUNT_BYTES);
    at += COUNT_BYTES + storage.byteLength;
  }
  for (const storage of storages.values()) {
    if (!offsets.has(storage)) throw new FormatError("CORRUPT", storage.offset, `storage ${JSON.stringify(storage.key)} is not there`);
  }
  if (at < source.byteLength) throw new FormatError("TRAILING", at, `${source.byteLength - at} bytes behind the last storage`);
  return offsets;
}

/**
 * Opens what `torch.save` wrote up to version 1.5, and writes still where it is told to: five pickles (a magic number, a version, the
 * machine, what was saved, the keys of its storages), then the storages.
 *
 * @param name of a tensor that is saved alone
 * @throws FormatError, and the source stays the caller's
 */
export async function openPytorchLegacy(source: Source, name?: string): Promise<OpenModel> {
  const storages = new TorchStorages("");
  const { value: root, end } = await unpickle(source, await readPreamble(source), {
    global: torchGlobal,
    persistent: (id, offset) => storages.refer(id, offset),
  });
  const offsets = await readStorages(source, end, storages);
  return torchModel(
    {
      ...{ source, root, storages, bigEndian: false },
      dataOffset: (storage) => offsets.get(storage)!,
      async template(_tensors, _restored, pieces) {
        const list = new PieceList(source);
        let at = 0;
        for (const [storage, offset] of offsets) {
          await list.copy(at, offset);
          for (const piece of await pieces(storage)) list.piece(piece);
          at = offset + storage.byteLength;
        }
        await list.copy(at, source.byteLength);
        return { path: "", pieces: list.end() };
      },
    },
    name,
  );
}
