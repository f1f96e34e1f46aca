import type * as edge from "../../src/decode/index.js";
import type { Block, BlockPlace, DecodeOptions, Source, Tensor, TensorEntry } from "../../src/decode/index.js";
import { FormatError } from "../../src/errors.js";
import { chunked } from "./streams.js";

/** What `coppice/decode` and `coppice/reference` both export. */
export type Decoder = Pick<typeof edge, "decode" | "decodeStream" | "open">;

/** A way from an archive to its tensors. All come to the same. */
export interface Way {
  readonly name: string;
  /** @param sizes bytes of the chunks of a stream, in turn */
  tensors(decoder: Decoder, archive: Uint8Array, options: DecodeOptions, sizes: readonly number[]): Promise<Tensor[]>;
}

/** Bytes that are read by range. What was lent is spoilt at the next reading, as a source may. */
export function sourceOf(bytes: Uint8Array): Source {
  let lent = new Uint8Array(0);
  return {
    byteLength: bytes.length,
    async read(offset, byteLength) {
      lent.fill(0xa5);
      lent = bytes.slice(offset, offset + byteLength);
      return lent;
    },
    async close() {},
  };
}

/** Tensors out of their blocks in order. */
function whole(blocks: readonly Block[]): Tensor[] {
  const tensors: { entry: TensorEntry; parts: Uint8Array[] }[] = [];
  for (const { tensor, index, offset, data } of blocks) {
    if (index === 0) tensors.push({ entry: tensor, parts: [] });
    const { entry, parts } = tensors[tensors.length - 1];
    const before = parts.reduce((sum, { length }) => sum + length, 0);
    if (tensor !== entry || index !== parts.length || offset !== before)
      throw new Error(
        `block ${index} of ${tensor.name}, at byte ${offset}, came after ${parts.length} blocks of ${entry.name}, ${before} bytes`,
      );
    parts.push(data);
  }
  return tensors.map(({ entry, parts }) => joined(entry, parts));
}

/** Blocks put together. */
function joined({ name, dtype, shape, byteLength }: TensorEntry, blocks: readonly Uint8Array[]): Tensor {
  const data = new Uint8Array(Buffer.concat(blocks));
  if (data.length !== byteLength) throw new Error(`the blocks of ${name} have ${data.length} bytes, the tensor ${byteLength}`);
  return { name, dtype, shape, data };
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

export const WAYS: readonly Way[] = [
  { name: "decode", tensors: async ({ decode }, archive, options) => decode(archive, options) },
  {
    name: "decodeStream",
    tensors: ({ decodeStream }, archive, options, sizes) => all(decodeStream(chunked(archive, ...sizes), options)),
  },
  {
    name: "decodeStream, blocks into one buffer",
    async tensors({ decodeStream }, archive, options, sizes) {
      let room = new Uint8Array(0);
      const into = (_: TensorEntry, { byteLength }: BlockPlace): Uint8Array => {
        if (room.length < byteLength) room = new Uint8Array(byteLength);
        return room.subarray(0, byteLength).fill(0xa5);
      };
      const blocks: Block[] = [];
      for await (const block of decodeStream(chunked(archive, ...sizes), { ...options, blocks: true, into }))
        blocks.push({ ...block, data: block.data.slice() });
      return whole(blocks);
    },
  },
  {
    name: "open and tensor",
    async tensors({ open }, archive, options) {
      const opened = await open(sourceOf(archive), options);
      const tensors: Tensor[] = [];
      for (const entry of opened.header.tensors) tensors.push(await opened.tensor(entry));
      return tensors;
    },
  },
  {
    name: "open and blocks",
    async tensors({ open }, archive, options) {
      const opened = await open(sourceOf(archive), options);
      const tensors: Tensor[] = [];
      for (const entry of opened.header.tensors) tensors.push(joined(entry, await all(opened.blocks(entry))));
      return tensors;
    },
  },
];

/** What a way comes to: the tensors, or the FormatError; anything else that it throws is thrown on. */
export async function came(tensors: Promise<Tensor[]>): Promise<Tensor[] | FormatError> {
  try {
    return await tensors;
  } catch (error) {
    if (error instanceof FormatError) return error;
    throw error;
  }
}

/** Why two ways that should come to the same do not; undefined where they do. Which fault is named first, they need not agree on. */
export function difference(actual: readonly Tensor[] | FormatError, expected: readonly Tensor[] | FormatError): string | undefined {
  if (actual instanceof FormatError) return expected instanceof FormatError ? undefined : `refused: ${actual.message}`;
  if (expected instanceof FormatError) return `accepted, where it should be refused: ${expected.message}`;
  if (actual.length !== expected.length) return `${actual.length} tensors instead of ${expected.length}`;
  for (const [i, { name, dtype, shape, data }] of expected.entries()) {
    const got = actual[i];
    if (got.name !== name || got.dtype !== dtype || got.shape.join() !== shape.join())
      return `tensor ${i} is called ${got.name} instead of ${name}`;
    if (Buffer.compare(got.data, data) !== 0) return `the bytes of tensor ${i}, ${name}, differ`;
  }
  return undefined;
}
