import { expect, it } from "vitest";
import { dataset, h5File, header, LINK, LINK_INFO, link, message, numbers, ROOT_AT } from "./h5raw.js";
import { outcome, repeated } from "./heap.js";
import { concat } from "./helpers.js";

// Whatever an HDF5 file says, half a gigabyte of heap is enough to read it, and to list what it holds: its datasets, and long rests between them.

const EMPTY = new Uint8Array(0);
const NIL = 0;
const LAYOUT = 8;

/** Behind it stands the length of the data, and the end of the header. */
const ADDRESS_IN_DATASET = header(...dataset(0, 1)).length - 20;

const messages = (type: number, count: number): Uint8Array => h5File([[ROOT_AT, header(repeated(message(type, EMPTY), count))]]);

/** A file whose root group has so many datasets, each of one number. */
function datasets(count: number): Uint8Array {
  const one = header(...dataset(0, 1));
  const entry = message(LINK, link("00000000", 0));
  const start = ROOT_AT + header(new Uint8Array(count * entry.length)).length;
  const links = repeated(entry, count);
  const objects = repeated(concat(one, new Uint8Array(4)), count);
  for (let i = 0; i < count; i++) {
    const at = start + i * (one.length + 4);
    links.set(Buffer.from(String(i).padStart(8, "0")), i * entry.length + entry.length - 16);
    links.set(numbers(4, at), i * entry.length + entry.length - 8);
    objects.set(numbers(4, at + one.length), i * (one.length + 4) + ADDRESS_IN_DATASET);
  }
  return h5File([
    [ROOT_AT, header(links)],
    [start, objects],
  ]);
}

/** A group whose links are to be in a heap, by an index of so many nodes below its root, each with 65,000 identifiers of no bytes. */
function emptyIdentifiers(nodes: number): Uint8Array {
  const [heapAt, indexAt, rootAt, recordBytes, count] = [200, 400, 500, 4, 65_000];
  const heap = concat(Buffer.from("FRHP"), new Uint8Array(3), numbers(2, 0), new Uint8Array(1), numbers(4, 100), new Uint8Array(96));
  const table = concat(numbers(2, 4), numbers(8, 512, 65536), numbers(2, 32, 0), numbers(8, 0), numbers(2, 0));
  const nodeBytes = 10 + recordBytes * count;
  const index = concat(Buffer.from("BTHD"), numbers(1, 0, 5), numbers(4, nodeBytes), numbers(2, recordBytes, 1), numbers(1, 0, 0));
  const leaf = concat(Buffer.from("BTLF"), numbers(1, 0, 5), new Uint8Array(recordBytes * count + 4));
  const firstAt = 65_536;
  const children = Array.from({ length: nodes }, (_, i) => concat(numbers(8, firstAt + i * leaf.length), numbers(2, count)));
  const root = concat(Buffer.from("BTIN"), numbers(1, 0, 5), new Uint8Array(recordBytes * (nodes - 1)), ...children);
  return h5File([
    [ROOT_AT, header(message(LINK_INFO, concat(numbers(1, 0, 0), numbers(8, heapAt, indexAt))))],
    [heapAt, concat(heap, table)],
    [indexAt, concat(index, numbers(8, rootAt), numbers(2, nodes - 1), numbers(8, 0), numbers(4, 0))],
    [rootAt, root],
    [firstAt, repeated(leaf, nodes)],
  ]);
}

it.each<[string, string, () => Uint8Array]>([
  ["messages that nobody reads", "1 tensors", () => messages(NIL, 8_000_000)],
  ["as many messages as are read", "1 tensors", () => messages(LAYOUT, 2_090_000)],
  ["more messages", "LIMIT", () => messages(LAYOUT, 3_500_000)],
  ["more datasets", "LIMIT", () => datasets(250_000)],
  ["identifiers of no bytes", "TRUNCATED", () => emptyIdentifiers(100)],
])("%s take no more than half a gigabyte: %s", async (_, wanted, file) => {
  expect(await outcome(file())).toBe(wanted);
});
