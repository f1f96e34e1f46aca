// Gap symbols in plain JavaScript: docs/format.md, section 4.6.

/** Gaps as symbols, `filler` for that many pruned weights; returns the symbols. */
export function fillGaps(gaps: Int32Array, filler: number, out: Uint8Array): number {
  const { length } = gaps;
  let to = 0;
  for (let i = 0; i < length; i++) {
    let gap = gaps[i];
    for (; gap >= filler; gap -= filler) out[to++] = filler;
    out[to++] = gap;
  }
  return to;
}

/** Gap symbols and codes into dense weights, in one pass. */
export function expand(symbols: Uint8Array, filler: number, codes: Uint8Array, codebook: Int32Array, out: Int32Array): void {
  out.fill(0);
  const { length } = symbols;
  let place = 0;
  let survivor = 0;
  for (let i = 0; i < length; i++) {
    const symbol = symbols[i];
    place += symbol;
    if (symbol !== filler) out[place++] = codebook[codes[survivor++]];
  }
}
