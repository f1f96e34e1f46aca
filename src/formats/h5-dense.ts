import { FormatError } from "../errors.js";
import { H5Fields, type H5File } from "./h5-file.js";

// Groups of many links in the newer form, as Keras 3 has them for the state of an optimiser: a fractal heap with the links, and a B-tree of the second version over it.

/** Bytes that a number up to `most` takes. */
function bytesFor(most: number): number {
  return Math.floor(Math.log2(Math.max(1, most)) / 8) + 1;
}

/** The bodies of a group's links, where they are in a heap; nothing where they stand in the group's header. */
export async function* denseLinks(file: H5File, info: H5Fields): AsyncGenerator<H5Fields> {
  info.take(1, "link info");
  if (info.u8("link info flags") & 1) info.take(8, "link info");
  const heapAddress = info.address("address of a heap");
  const tree = info.address("address of an index");
  if (heapAddress === undefined || tree === undefined) return;
  const heap = await FractalHeap.open(file, heapAddress);
  for await (const id of recordsOf(file, tree)) yield heap.object(id);
}

/** Objects in blocks, which double in size from row to row of a table. */
class FractalHeap {
  readonly #file: H5File;
  readonly #width: number;
  readonly #startBytes: number;
  readonly #directBytes: number;
  readonly #offsetBytes: number;
  readonly #lengthBytes: number;
  readonly #root: number;
  readonly #rows: number;

  private constructor(file: H5File, fields: H5Fields) {
    this.#file = file;
    fields.expect("FRHP", "fractal heap");
    fields.take(3, "fractal heap");
    const filterBytes = fields.u16("filters of a heap");
    if (filterBytes > 0) throw new FormatError("UNSUPPORTED", fields.offset - 2, "links that are compressed");
    fields.take(1, "fractal heap");
    const mostObject = fields.u32("most bytes of an object");
    fields.take(96, "fractal heap");
    this.#width = fields.u16("width of a heap's table");
    this.#startBytes = fields.u64("bytes of a heap's first block");
    this.#directBytes = fields.u64("most bytes of a heap's block");
    const bits = fields.u16("bits of a heap's offsets");
    fields.take(2, "fractal heap");
    const { offset } = fields;
    const root = fields.address("address of a heap's first block");
    this.#rows = fields.u16("rows of a heap");
    this.#offsetBytes = Math.ceil(bits / 8);
    this.#lengthBytes = Math.min(bytesFor(this.#directBytes), bytesFor(mostObject));
    const sizes = [this.#width, this.#startBytes, this.#directBytes];
    if (
      root === undefined ||
      bits > 64 ||
      sizes.some((size) => !Number.isInteger(Math.log2(size))) ||
      this.#directBytes < this.#startBytes
    ) {
      throw new FormatError("CORRUPT", offset, "the table of a heap is wrong");
    }
    this.#root = root;
  }

  static async open(file: H5File, address: number): Promise<FractalHeap> {
    return new FractalHeap(file, await file.take(address, 142, "fractal heap"));
  }

  /** The object that an identifier names. */
  async object(id: H5Fields): Promise<H5Fields> {
    const { offset: at } = id;
    if (id.u8("kind of heap object") !== 0) throw new FormatError("UNSUPPORTED", at, "a link that is not in the blocks of its heap");
    const offset = id.uint(this.#offsetBytes, "offset of a heap object");
    const byteLength = id.uint(this.#lengthBytes, "length of a heap object");
    return this.#file.take(await this.#address(offset, at), byteLength, "link");
  }

  /** Where the byte `wanted` of the heap is. */
  async #address(wanted: number, at: number): Promise<number> {
    const outside = (): FormatError => new FormatError("CORRUPT", at, "a link is not in its heap");
    if (this.#rows === 0) {
      if (wanted >= this.#startBytes) throw outside();
      return this.#root + wanted;
    }
    let table = this.#root;
    let rest = wanted;
    for (let rows = this.#rows; ; ) {
      // Rows 0 and 1 have blocks of the first size; those of the next have twice the bytes each.
      const first = this.#width * this.#startBytes;
      const row = rest < first ? 0 : Math.floor(Math.log2(rest / first)) + 1;
      if (row >= rows) throw outside();
      const blockBytes = this.#startBytes * 2 ** Math.max(0, row - 1);
      const inRow = rest - (row === 0 ? 0 : first * 2 ** (row - 1));
      const index = row * this.#width + Math.floor(inRow / blockBytes);
      const entry = await this.#file.peek(table + 13 + this.#offsetBytes + 8 * index, 8);
      const child = entry.address("address of a heap's block");
      if (child === undefined) throw outside();
      rest = inRow % blockBytes;
      if (blockBytes <= this.#directBytes) return child + rest;
      table = child;
      // What is in a table within the table has fewer rows than that: it ends.
      rows = Math.log2(blockBytes / first) + 1;
    }
  }
}

/** Bytes around the records of a node: signature, version, kind, checksum. */
const NODE_BYTES = 10;

/** The heap identifiers in an index of links, by name or by order of creation. */
async function* recordsOf(file: H5File, address: number): AsyncGenerator<H5Fields> {
  const head = await file.take(address, 38, "index of links");
  head.expect("BTHD", "index of links");
  head.take(1, "index of links");
  const kind = head.u8("kind of index");
  if (kind !== 5 && kind !== 6) throw new FormatError("CORRUPT", head.offset - 1, `an index of kind ${kind}, where one of links is to be`);
  const nodeBytes = head.u32("bytes of a node");
  const recordBytes = head.u16("bytes of a record");
  const depth = head.u16("depth of an index");
  head.take(2, "index of links");
  const keyBytes = kind === 5 ? 4 : 8;
  if (recordBytes < keyBytes || nodeBytes < NODE_BYTES + recordBytes) throw new FormatError("CORRUPT", head.offset, "records of no size");
  const { offset: rootAt } = head;
  const root = head.address("address of an index's root");
  const rootCount = head.u16("records of an index's root");

  // How wide the counts beside an address are, follows from what a node can hold.
  const most = Math.floor((nodeBytes - NODE_BYTES) / recordBytes);
  const countBytes = bytesFor(most);
  const widths = [0];
  for (let level = 1, all = most; level <= depth; level++) {
    const pointer = 8 + countBytes + widths[level - 1];
    const here = Math.floor((nodeBytes - NODE_BYTES - pointer) / (recordBytes + pointer));
    all = (here + 1) * all + here;
    if (here < 1 || all > Number.MAX_SAFE_INTEGER) throw new FormatError("CORRUPT", rootAt, `an index of depth ${depth}`);
    widths.push(bytesFor(all));
  }

  const visit = async function* (at: number, count: number, level: number): AsyncGenerator<H5Fields> {
    const width = level === 0 ? 0 : 8 + countBytes + widths[level - 1];
    const node = await file.take(at, 6 + count * recordBytes + (count + 1) * width, "node of an index");
    node.expect(level === 0 ? "BTLF" : "BTIN", "node of an index");
    node.take(2, "node of an index");
    for (let i = 0; i < count; i++) {
      node.take(keyBytes, "record of an index");
      const { offset } = node;
      yield new H5Fields(node.take(recordBytes - keyBytes, "record of an index"), offset);
    }
    for (let i = 0; level > 0 && i <= count; i++) {
      const child = node.u64("address of a node");
      const records = node.uint(countBytes, "records of a node");
      node.take(widths[level - 1], "node of an index");
      yield* visit(child, records, level - 1);
    }
  };
  if (root !== undefined) yield* visit(root, rootCount, depth);
}
