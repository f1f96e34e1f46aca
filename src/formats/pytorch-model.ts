import { swapUnit } from "../archive/order.js";
import { checkInteger } from "../check.js";
import type { FileTemplate, OpenModel, Piece, Place, Restored, Source } from "../types.js";
import { type Elements, holeOf, MAX_TURNED_BYTES, rowMajor, TensorReaders } from "./elements.js";
import type { PickleValue } from "./pickle-values.js";
import { layOut, type Placed } from "./pytorch-layout.js";
import { namedTensors } from "./pytorch-names.js";
import type { TorchStorages } from "./pytorch-storages.js";
import type { TorchStorage } from "./pytorch-values.js";
import { rolesOf } from "./recurrent.js";
import type { MemberPieces } from "./zip-template.js";

/** The name of a tensor that is saved alone, where the file has none. */
const ALONE = "tensor";

/** What was saved, and where its storages stand. */
export interface TorchFile {
  readonly source: Source;
  readonly root: PickleValue;
  readonly storages: TorchStorages;
  readonly bigEndian: boolean;
  /** Where a storage's bytes begin in the file: they stand in one run. */
  dataOffset(storage: TorchStorage): number;
  template(tensors: OpenModel["tensors"], restored: Restored, pieces: StoragePieces): Promise<FileTemplate>;
}

/** What a storage is made of. */
export type StoragePieces = (storage: TorchStorage) => Promise<MemberPieces>;

/** The model of a file of PyTorch. See `layOut` for what its tensors are, `namedTensors` for their names. */
export function torchModel(file: TorchFile, name: string | undefined): OpenModel {
  const { source, root, storages, dataOffset } = file;
  const placed = layOut(storages.values(), namedTensors(root, name ?? ALONE), MAX_TURNED_BYTES);
  const tensors = placed.map(({ info }) => info);
  const elementsOf = ({ info: { dtype, shape }, start, end, columnMajor }: Placed): Elements => {
    return { dtype, shape, columnMajor, bigEndian: file.bigEndian && swapUnit(dtype) > 1, dataBytes: end - start };
  };
  const offsetOf = ({ storage, start }: Placed): number => dataOffset(storage) + start;

  const inStorage = new Map<TorchStorage, number[]>();
  for (const [tensor, { storage }] of placed.entries()) {
    const known = inStorage.get(storage);
    if (known) known.push(tensor);
    else inStorage.set(storage, [tensor]);
  }
  const pieces: StoragePieces = async (storage) => {
    const all: Exclude<Piece, { kind: "deflate" }>[] = [];
    let at = 0;
    const copyTo = async (to: number): Promise<void> => {
      if (to > at) all.push({ kind: "bytes", bytes: (await source.read(dataOffset(storage) + at, to - at)).slice() });
    };
    for (const tensor of (inStorage.get(storage) ?? []).sort((a, b) => placed[a].start - placed[b].start)) {
      await copyTo(placed[tensor].start);
      all.push(holeOf(elementsOf(placed[tensor]), tensor));
      at = placed[tensor].end;
    }
    await copyTo(storage.byteLength);
    return all;
  };

  const readers = new TensorReaders((tensor) => {
    const from = offsetOf(placed[tensor]);
    return rowMajor(elementsOf(placed[tensor]), (offset, byteLength) => source.read(from + offset, byteLength));
  });
  return {
    format: "pytorch",
    byteLength: source.byteLength,
    tensors,
    async read(tensor: number, offset: number, byteLength: number): Promise<Uint8Array> {
      checkInteger(tensor, "tensor", 0, tensors.length - 1);
      return readers.read(tensor, placed[tensor].end - placed[tensor].start, offset, byteLength);
    },
    place(tensor: number): Place | undefined {
      const { bigEndian, columnMajor } = elementsOf(placed[tensor]);
      const { place } = source;
      return bigEndian || columnMajor ? undefined : place && { fd: place.fd, offset: place.offset + offsetOf(placed[tensor]) };
    },
    role: rolesOf(tensors, (tensor) => placed[tensor].role),
    async templates(restored: Restored): Promise<readonly FileTemplate[]> {
      readers.clear();
      return [await file.template(tensors, restored, pieces)];
    },
    close: () => source.close(),
  };
}
