// The context coder, again in plain TypeScript: docs/format.md, section 4.7.

/** squash at -16 … 0 times 128; the upper half is 65536 less the lower. */
const KNOTS = [22, 36, 60, 98, 162, 267, 439, 720, 1179, 1921, 3108, 4971, 7812, 11955, 17625, 24743, 32768];

function knot(i: number): number {
  return i <= 16 ? KNOTS[i] : 65536 - KNOTS[32 - i];
}

function squash(x: number): number {
  const stretched = Math.max(-2047, Math.min(2047, x));
  const part = stretched & 127;
  const i = (stretched >> 7) + 16;
  return (knot(i) * (128 - part) + knot(i + 1) * part + 64) >> 7;
}

/** The inverse of squash, by the upper twelve bits of a probability. */
function stretchTable(): Int16Array {
  const table = new Int16Array(4096).fill(2047);
  let from = 0;
  for (let x = -2047; x <= 2047; x++) for (const upTo = squash(x) >> 4; from <= upTo; from++) table[from] = x;
  return table;
}

/** Codes one binary decision after the other, learning from each. */
class Mixer {
  readonly #stretch = stretchTable();
  readonly #stretched = new Int32Array(8);
  #low = 0;
  #high = 0xffffffff;
  #value = 0;
  /** The decoder's input, undefined for an encoder; and how far it was read, zeros behind its end counted. */
  readonly #input: Uint8Array | undefined;
  #position = 0;
  readonly output: number[] = [];

  constructor(input?: Uint8Array) {
    this.#input = input;
    if (input) for (let i = 0; i < 4; i++) this.#value = ((this.#value << 8) | this.#nextByte()) >>> 0;
  }

  #nextByte(): number {
    return this.#input?.[this.#position++] ?? 0;
  }

  /**
   * @param slots for each input, an index into `probabilities` and `counts`
   * @param at where the decision's weights begin
   */
  decide(
    probabilities: Uint16Array,
    counts: Uint8Array,
    slots: Int32Array,
    weights: Int32Array,
    at: number,
    speed: number,
    limit: number,
    bit: number,
  ): number {
    let sum = 0;
    for (let i = 0; i < slots.length; i++) {
      this.#stretched[i] = this.#stretch[probabilities[slots[i]] >> 4];
      sum += this.#stretched[i] * weights[at + i];
    }
    const probability = squash(Math.max(-2047, Math.min(2047, Math.floor(sum / 65536))));
    const one = this.#code(probability, bit);
    const target = one === 1 ? 65535 : 0;
    const error = (target - probability) * speed;
    for (let i = 0; i < slots.length; i++) {
      weights[at + i] += (this.#stretched[i] * error + 0x20000) >> 18;
      const slot = slots[i];
      const rate = Math.floor(163840 / (5 * counts[slot] + 9));
      probabilities[slot] += ((target - probabilities[slot]) * rate) >> 15;
      if (counts[slot] < limit) counts[slot]++;
    }
    return one;
  }

  #code(probability: number, bit: number): number {
    const range = this.#high - this.#low;
    const middle = this.#low + Math.floor(range / 65536) * probability + Math.floor(((range % 65536) * probability) / 65536);
    const one = this.#input ? (this.#value <= middle ? 1 : 0) : bit;
    if (one === 1) this.#high = middle;
    else this.#low = middle + 1;
    while ((this.#low ^ this.#high) >>> 24 === 0) {
      if (this.#input) this.#value = ((this.#value << 8) | this.#nextByte()) >>> 0;
      else this.output.push(this.#high >>> 24);
      this.#low = (this.#low << 8) >>> 0;
      this.#high = ((this.#high << 8) | 255) >>> 0;
    }
    return one;
  }

  /** The shortest value between low and high, and its bytes. */
  #last(): { bytes: number; value: number } {
    for (let bytes = 0; ; bytes++) {
      const unit = 2 ** (32 - 8 * bytes);
      const value = Math.ceil(this.#low / unit) * unit;
      if (value <= this.#high) return { bytes, value };
    }
  }

  /** The encoder's bytes. */
  finish(): Uint8Array {
    const { bytes, value } = this.#last();
    for (let i = 0; i < bytes; i++) this.output.push(Math.floor(value / 2 ** (24 - 8 * i)) & 255);
    return Uint8Array.from(this.output);
  }

  /** The decoder's input ends as the encoder would have ended it. */
  endsHere(): boolean {
    const { bytes, value } = this.#last();
    return this.#value === value && this.#position + bytes === (this.#input?.length ?? 0) + 4;
  }
}

const POSITION_INPUTS = 8;
const CODE_INPUTS = 4;
/** Where the slots of each context of a position begin, and where they end. */
const [BY_COLUMN, BY_ROW, BY_RECENT, BY_GAP, BY_BOTH, BY_NEIGHBOURS, BY_PLACE, BY_DISTANCE, POSITION_SLOTS] = [
  0, 24, 48, 64, 256, 832, 1088, 1344, 1408,
];
const [BY_LAST, BY_ABOVE, BY_CODE_PLACE, CODE_SLOTS] = [256, 4352, 8448, 24832];

function width(x: number): number {
  return 32 - Math.clz32(x);
}

function densityClass(k: number, n: number): number {
  if (k === 0) return Math.min(width(n), 7);
  let e = width(n) - width(k);
  if (k * 2 ** e > n) e--;
  return 8 + Math.min(15, 2 * e + (2 * n >= 3 * k * 2 ** e ? 1 : 0));
}

/** Walks over `symbols`, u16[rows * columns], which a decoder fills. Returns false where a code is beyond the codebook. */
function walk(mixer: Mixer, symbols: Uint16Array, rows: number, columns: number, kernel: number, codes: number): boolean {
  const codeBits = Math.max(1, width(codes - 1));
  const positions = new Uint16Array(POSITION_SLOTS).fill(32768);
  const positionCounts = new Uint8Array(POSITION_SLOTS);
  const positionWeights = new Int32Array(24 * POSITION_INPUTS).fill(9830);
  const nodes = new Uint16Array(CODE_SLOTS).fill(32768);
  const nodeCounts = new Uint8Array(CODE_SLOTS);
  const nodeWeights = Int32Array.from({ length: 8 * CODE_INPUTS }, (_, i) => [32768, 19661, 19661, 6554][i % CODE_INPUTS]);
  const slots = new Int32Array(POSITION_INPUTS);
  const codeSlots = new Int32Array(CODE_INPUTS);

  const inColumn = new Uint32Array(columns);
  const afterLast = new Uint32Array(columns);
  const history = new Uint8Array(columns + 1);
  const lastInColumn = new Uint8Array(columns);
  let gap = 0;
  let last = 0;
  for (let r = 0, at = 0; r < rows; r++) {
    let inRow = 0;
    let recent = 0;
    for (let c = 0; c < columns; c++, at++) {
      const place = kernel <= 64 ? c % kernel : 0;
      const byColumn = densityClass(inColumn[c], r);
      const byRow = densityClass(inRow, c);
      const above = history[c];
      const aboveLeft = c > 0 ? (history[c - 1] >> 1) & 1 : 0;
      const aboveRight = history[c + 1] & 1;
      slots[0] = BY_COLUMN + byColumn;
      slots[1] = BY_ROW + byRow;
      slots[2] = BY_RECENT + (recent & 15);
      slots[3] = BY_GAP + Math.min(gap, 63) + 64 * (above & 1 ? 2 : byColumn >= 8 ? 1 : 0);
      slots[4] = BY_BOTH + byColumn * 24 + byRow;
      slots[5] = BY_NEIGHBOURS + (((above & 7) << 5) | (aboveRight << 4) | (aboveLeft << 3) | (recent & 7));
      slots[6] = BY_PLACE + place * 4 + (recent & 3);
      slots[7] = BY_DISTANCE + Math.min(7, width(r + 1 - afterLast[c])) * 8 + Math.min(7, width(gap));
      const bit = symbols[at] > 0 ? 1 : 0;
      const survives = mixer.decide(positions, positionCounts, slots, positionWeights, byColumn * POSITION_INPUTS, 4, 127, bit);
      recent = (recent << 1) | survives;
      history[c] = (above << 1) | survives;
      if (survives === 0) {
        symbols[at] = 0;
        gap++;
        continue;
      }
      let node = 1;
      for (let depth = 0; depth < codeBits; depth++) {
        codeSlots[0] = node;
        codeSlots[1] = BY_LAST + last * 256 + node;
        codeSlots[2] = BY_ABOVE + lastInColumn[c] * 256 + node;
        codeSlots[3] = BY_CODE_PLACE + place * 256 + node;
        const codeBit = ((symbols[at] - 1) >> (codeBits - 1 - depth)) & 1;
        node = (node << 1) | mixer.decide(nodes, nodeCounts, codeSlots, nodeWeights, depth * CODE_INPUTS, 8, 255, codeBit);
      }
      const code = node - 2 ** codeBits;
      if (code >= codes) return false;
      symbols[at] = code + 1;
      last = 1 + Math.floor((code * 15) / codes);
      lastInColumn[c] = last;
      inColumn[c]++;
      afterLast[c] = r + 1;
      inRow++;
      gap = 0;
    }
  }
  return true;
}

/** See `EncodeKernels.encodeContext`. */
export function encodeContext(symbols: Uint16Array, rows: number, columns: number, kernel: number, codes: number): Uint8Array {
  const mixer = new Mixer();
  walk(mixer, symbols.slice(), rows, columns, kernel, codes);
  return mixer.finish();
}

/** The symbols of a context-coded block, or undefined where the stream does not end where it should or has a code beyond the codebook. */
export function decodeContext(bytes: Uint8Array, rows: number, columns: number, kernel: number, codes: number): Uint16Array | undefined {
  const mixer = new Mixer(bytes);
  const symbols = new Uint16Array(rows * columns);
  return walk(mixer, symbols, rows, columns, kernel, codes) && mixer.endsHere() ? symbols : undefined;
}
