import { decodeUtf8 } from "../archive/bytes.js";
import { MAX_NAME_BYTES } from "../archive/limits.js";
import { FormatError } from "../errors.js";
import { denseLinks } from "./h5-dense.js";
import { type H5Fields, type H5File, type H5Message, LINK, LINK_INFO, SYMBOL_TABLE } from "./h5-file.js";

/** A link with its name and path, in what lists them and in what remembers them. */
const UNITS_OF_LINK = 24;
const UNIT_CHARACTERS = 8;

/** What a group calls another object. */
export interface H5Link {
  readonly name: string;
  /** Of the object's header. */
  readonly address: number;
  /** Where the link stands, for errors. */
  readonly offset: number;
}

/** The objects in a group, in the order of the file; none where the object is no group. Links that name a path, or another file, are left out. */
export async function groupLinks(file: H5File, messages: readonly H5Message[]): Promise<H5Link[]> {
  const links: H5Link[] = [];
  const add = (name: Uint8Array, address: number, offset: number): void => {
    file.spend(UNITS_OF_LINK + Math.ceil(name.length / UNIT_CHARACTERS), offset);
    links.push({ name: nameOf(name, offset), address, offset });
  };
  for (const { type, fields } of messages) {
    if (type === SYMBOL_TABLE) await oldLinks(file, fields, add);
    else if (type === LINK) readLink(fields, add);
    else if (type === LINK_INFO) for await (const link of denseLinks(file, fields)) readLink(link, add);
  }
  return links;
}

/** Takes a link. */
type Add = (name: Uint8Array, address: number, offset: number) => void;

/** The body of a link message. */
function readLink(fields: H5Fields, add: Add): void {
  const { offset } = fields;
  fields.take(1, "link version");
  const flags = fields.u8("link flags");
  const kind = flags & 8 ? fields.u8("kind of link") : 0;
  fields.take((flags & 4 ? 8 : 0) + (flags & 16 ? 1 : 0), "link");
  const name = fields.take(fields.uint(2 ** (flags & 3), "length of a name"), "name of a link");
  if (kind === 0) add(name, fields.u64("address of an object"), offset);
}

function nameOf(bytes: Uint8Array, offset: number): string {
  if (bytes.length === 0 || bytes.length > MAX_NAME_BYTES) throw new FormatError("CORRUPT", offset, `a name of ${bytes.length} bytes`);
  return decodeUtf8(bytes, offset, "the name of an object");
}

/** The links of a group as files have them since ever: a B-tree of symbol tables, and a heap with the names. */
async function oldLinks(file: H5File, fields: H5Fields, add: Add): Promise<void> {
  const tree = fields.u64("address of a group's tree");
  const heapAddress = fields.u64("address of a group's heap");
  const heap = await file.take(heapAddress, 32, "local heap");
  heap.expect("HEAP", "local heap");
  heap.take(4, "local heap");
  const heapBytes = heap.u64("bytes of a local heap");
  heap.take(8, "local heap");
  const names = await file.take(heap.u64("address of a local heap's data"), heapBytes, "local heap");
  let nameBytes = 0;
  for (const table of await leavesOf(file, tree)) {
    const head = await file.take(table, 8, "symbol table");
    head.expect("SNOD", "symbol table");
    head.take(2, "symbol table");
    const count = head.u16("entries of a symbol table");
    const entries = await file.take(table + 8, 40 * count, "symbol table");
    for (let i = 0; i < count; i++) {
      const { offset } = entries;
      const nameAt = entries.u64("offset of a name");
      const address = entries.address("address of an object");
      const kind = entries.u32("kind of entry");
      entries.take(20, "symbol table");
      // What is named by a path has no address.
      if (kind === 2 || address === undefined) continue;
      const end = names.bytes.indexOf(0, nameAt);
      if (end < 0) throw new FormatError("CORRUPT", offset, "a name is not in its heap");
      nameBytes += end - nameAt;
      if (nameBytes > names.bytes.length) throw new FormatError("CORRUPT", offset, "names share bytes");
      add(names.bytes.subarray(nameAt, end), address, offset);
    }
  }
}

/** The addresses of the symbol tables that a B-tree is over. */
async function leavesOf(file: H5File, root: number): Promise<number[]> {
  const leaves: number[] = [];
  const visit = async (address: number, wanted?: number): Promise<void> => {
    const head = await file.take(address, 24, "B-tree");
    head.expect("TREE", "B-tree");
    head.take(1, "B-tree");
    const level = head.u8("level of a B-tree");
    // Each level is one lower: a tree ends.
    if (wanted !== undefined && level !== wanted) throw new FormatError("CORRUPT", head.offset - 1, "a level of a B-tree is another");
    const count = head.u16("entries of a B-tree");
    const entries = await file.take(address + 24, 16 * count, "B-tree");
    for (let i = 0; i < count; i++) {
      entries.take(8, "B-tree");
      const child = entries.u64("address of a node");
      if (level === 0) leaves.push(child);
      else await visit(child, level - 1);
    }
  };
  await visit(root);
  return leaves;
}
