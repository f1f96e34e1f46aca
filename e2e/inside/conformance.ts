import goldens from "given:goldens";
import { about } from "./about.ts";
import { joined, sha256, sourceOf, streamed } from "./bytes.ts";
import type { Commands } from "./commands.ts";
import type { Conformance, Found, Wanted } from "./found.ts";
import { type Entry, LIBRARIES, type Library, type Tensor } from "./library.ts";

// The same in every runtime: each golden archive is read in each way. The host, which knows what should come out, is told what did.

async function allFound(tensors: AsyncIterable<Tensor> | Iterable<Tensor>): Promise<Found[]> {
  const all: Found[] = [];
  for await (const { name, dtype, shape, data } of tensors) all.push({ name, dtype, shape, sha256: await sha256(data) });
  return all;
}

/** A buffer that is not blank, and does not begin where an element would like to. */
function used({ byteLength }: Entry): Uint8Array {
  return new Uint8Array(byteLength + 3).fill(0xa5).subarray(3);
}

const ONE_BY_ONE = [1];
/** Primes, and nothing at all now and then: records and blocks begin anywhere in a chunk. */
const ODD = [1, 2, 0, 7, 3, 61, 13, 509];

type Way = (library: Library, archive: Uint8Array) => AsyncIterable<Tensor> | Iterable<Tensor>;

/** Ways to decode an archive: each gives its tensors in order. */
const WAYS: Readonly<Record<string, Way>> = {
  bytes: (library, archive) => library.decode(archive),
  into: (library, archive) => library.decode(archive, { into: used }),
  "stream, byte by byte": (library, archive) => library.decodeStream(streamed(archive, ONE_BY_ONE)),
  "stream, odd chunks": (library, archive) => library.decodeStream(streamed(archive, ODD)),
  async *"stream, by blocks"(library, archive) {
    const parts = new Map<string, Uint8Array[]>();
    for await (const { tensor, index, data } of library.decodeStream(streamed(archive, ODD), { blocks: true })) {
      const before = parts.get(tensor.name) ?? [];
      if (index !== before.length) throw new Error(`block ${index} of ${tensor.name} came after ${before.length}`);
      parts.set(tensor.name, [...before, data]);
    }
    const { header } = await library.open(sourceOf(archive));
    for (const entry of header.tensors) yield { ...entry, data: await joined(parts.get(entry.name) ?? []) };
  },
  async *ranges(library, archive) {
    const opened = await library.open(sourceOf(archive));
    const last: Tensor[] = [];
    for (const entry of opened.header.tensors.toReversed()) last.push(await opened.tensor(entry));
    yield* last.reverse();
  },
  async *"ranges, by blocks"(library, archive) {
    const opened = await library.open(sourceOf(archive));
    for (const entry of opened.header.tensors) yield { ...entry, data: await joined(opened.blocks(entry)) };
  },
};

/** Ways to read an archive to its end. */
const READINGS: Readonly<Record<string, (library: Library, archive: Uint8Array) => unknown>> = {
  bytes: (library, archive) => library.decode(archive),
  async stream(library, archive) {
    for await (const _ of library.decodeStream(streamed(archive, ODD)));
  },
  async ranges(library, archive) {
    const opened = await library.open(sourceOf(archive));
    for (const entry of opened.header.tensors) await opened.tensor(entry);
  },
};

/** The code that an archive is refused with, or what happened instead. */
async function refusal(read: () => unknown): Promise<string> {
  try {
    await read();
    return "accepted";
  } catch (error) {
    const { name, message, code } = error as Error & { code?: string };
    return name === "FormatError" ? String(code) : `${name}: ${message}`;
  }
}

async function conformance({ files }: Wanted): Promise<Conformance> {
  const all: Conformance = { tensors: {}, refusals: {}, files: {} };
  const archives = Object.keys(goldens).filter((name) => !name.startsWith("bad/"));
  const broken = Object.keys(goldens).filter((name) => name.startsWith("bad/"));

  async function report<T>(
    to: Record<string, Record<string, T>>,
    title: string,
    names: readonly string[],
    read: (archive: Uint8Array) => Promise<T>,
  ) {
    to[title] = {};
    for (const name of names) to[title][name] = await read(goldens[name]);
  }

  for (const [name, library] of Object.entries(LIBRARIES)) {
    for (const [way, decode] of Object.entries(WAYS))
      await report(all.tensors, `${name}: ${way}`, archives, (archive) => allFound(decode(library, archive)));
    for (const [reading, read] of Object.entries(READINGS))
      await report(all.refusals, `${name}: ${reading}`, broken, (archive) => refusal(() => read(library, archive)));
    await report(all.files, `${name}: file`, files, async (archive) => {
      const opened = await library.open(sourceOf(archive));
      return sha256(await joined(library.toFile(opened)));
    });
  }
  return all;
}

export const commands: Commands = { about, conformance: (wanted) => conformance(wanted as Wanted) };
