import { type Words, wordsOf, wordsPerElement } from "./words.js";

const MOST = 256;

/** Several times the entries, so that a search meets few of them. */
const SLOTS = 2048;
const SLOT_MASK: number = SLOTS - 1;

/** As `EncodeKernels.index` says. */
export function index(elements: Uint8Array, elementBytes: number, known: Uint8Array): { codes: Uint8Array; table: Uint8Array } | undefined {
  const knownCount = known.length / elementBytes;
  if (knownCount > MOST) return undefined;
  const table = new Uint8Array(MOST * elementBytes);
  table.set(known);
  const codes = new Uint8Array(elements.length / elementBytes);
  const find = wordsPerElement(elementBytes) === 1 ? indexWords : indexPairs;
  const size = find(wordsOf(elements, elementBytes), codes, wordsOf(table, elementBytes), knownCount);
  return size > MOST ? undefined : { codes, table: table.slice(0, size * elementBytes) };
}

/** Slots hold an index of the table plus one, or 0. Of known elements that are equal the first is found. */
function indexWords(from: Words, codes: Uint8Array, table: Words, knownCount: number): number {
  const slots = new Uint16Array(SLOTS);
  for (let code = 0; code < knownCount; code++) {
    let slot = hash(table[code]);
    while (slots[slot] !== 0 && table[slots[slot] - 1] !== table[code]) slot = (slot + 1) & SLOT_MASK;
    if (slots[slot] === 0) slots[slot] = code + 1;
  }
  let size = knownCount;
  for (let i = 0; i < from.length; i++) {
    const element = from[i];
    let slot = hash(element);
    while (slots[slot] !== 0 && table[slots[slot] - 1] !== element) slot = (slot + 1) & SLOT_MASK;
    if (slots[slot] === 0) {
      if (size === MOST) return MOST + 1;
      table[size++] = element;
      slots[slot] = size;
    }
    codes[i] = slots[slot] - 1;
  }
  return size;
}

function indexPairs(from: Words, codes: Uint8Array, table: Words, knownCount: number): number {
  const slots = new Uint16Array(SLOTS);
  const find = (low: number, high: number): number => {
    let slot = hash(low ^ Math.imul(high, 0x85ebca6b));
    for (; slots[slot] !== 0; slot = (slot + 1) & SLOT_MASK) {
      const at = 2 * (slots[slot] - 1);
      if (table[at] === low && table[at + 1] === high) break;
    }
    return slot;
  };
  for (let code = 0; code < knownCount; code++) {
    const slot = find(table[2 * code], table[2 * code + 1]);
    if (slots[slot] === 0) slots[slot] = code + 1;
  }
  let size = knownCount;
  for (let i = 0; i < codes.length; i++) {
    const low = from[2 * i];
    const high = from[2 * i + 1];
    const slot = find(low, high);
    if (slots[slot] === 0) {
      if (size === MOST) return MOST + 1;
      table[2 * size] = low;
      table[2 * size + 1] = high;
      slots[slot] = ++size;
    }
    codes[i] = slots[slot] - 1;
  }
  return size;
}

/** The upper bits of a product with 2^32 over the golden ratio. */
function hash(word: number): number {
  return Math.imul(word, 0x9e3779b1) >>> 21;
}

/** As `EncodeKernels.mapBytes` says. */
export function mapBytes(bytes: Uint8Array, table: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) out[i] = table[bytes[i]];
  return out;
}

/** As `EncodeKernels.splitPlane` says. */
export function splitPlane(elements: Uint8Array, elementBytes: number, plane: number): Uint8Array {
  const out = new Uint8Array(elements.length / elementBytes);
  for (let i = 0, at = plane; i < out.length; i++, at += elementBytes) out[i] = elements[at];
  return out;
}
