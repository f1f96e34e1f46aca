/** Bytes of one item of a level: its weight, and whether it is a package. */
const WEIGHT: usize = 8;

/**
 * Lengths of an optimal prefix code of at most maxLength bits: package-merge (Larmore and Hirschberg, A fast algorithm for optimal length-limited
 * Huffman codes, 1990).
 *
 * Level 1 is the symbols that occur, by count, then by symbol. Each next level merges them with the packages of two neighbours of the level before, by weight,
 * a symbol before a package of equal weight: then codes get no longer than they need to. Of the last level the first 2m - 2 items are taken; a package among them takes two items of the level below.
 * A symbol's length is the number of levels in which it is taken, and the symbols taken on a level are its first ones: only their number is kept.
 *
 * Layout     counts   u32[alphabet]
 *            lengths  u8[alphabet]                written
 *            symbols  u32[alphabet]               scratch: the symbols that occur, sorted
 *            levels   f64[2 * alphabet][2]        scratch: weights of a level and of the one before
 *            kinds    u8[maxLength][2 * alphabet] scratch: 1 where a level's item is a package
 * Requires   two symbols or more occur, at most 2^maxLength.
 * Reads      nothing past the lengths above.
 * Order      sums of counts in float64, exact below 2^53.
 */
export function codeLengths(
  counts: usize,
  alphabet: u32,
  maxLength: u32,
  lengths: usize,
  symbols: usize,
  levels: usize,
  kinds: usize,
): void {
  memory.fill(lengths, 0, alphabet);
  const m = sortSymbols(counts, alphabet, symbols);
  const room = (<usize>alphabet) << 1;
  let before = levels;
  let level = levels + room * WEIGHT;
  let beforeSize: usize = 0;
  for (let l: usize = 0; l < maxLength; l++) {
    const kind = kinds + l * room;
    const packages = beforeSize >> 1;
    let leaf: usize = 0;
    let pack: usize = 0;
    let size: usize = 0;
    while (leaf < m || pack < packages) {
      const leafWeight = leaf < m ? <f64>load<u32>(counts + ((<usize>load<u32>(symbols + (leaf << 2))) << 2)) : Infinity;
      const packWeight =
        pack < packages ? load<f64>(before + (pack << 1) * WEIGHT) + load<f64>(before + (pack << 1) * WEIGHT, 8) : Infinity;
      const isPackage = packWeight < leafWeight;
      store<f64>(level + size * WEIGHT, isPackage ? packWeight : leafWeight);
      store<u8>(kind + size, isPackage ? 1 : 0);
      if (isPackage) pack++;
      else leaf++;
      size++;
    }
    const swap = before;
    before = level;
    level = swap;
    beforeSize = size;
  }

  let take: usize = (m << 1) - 2;
  for (let l: usize = maxLength; l > 0; l--) {
    const kind = kinds + (l - 1) * room;
    let leaves: usize = 0;
    for (let i: usize = 0; i < take; i++) leaves += 1 - <usize>load<u8>(kind + i);
    for (let i: usize = 0; i < leaves; i++) {
      const at = lengths + <usize>load<u32>(symbols + (i << 2));
      store<u8>(at, load<u8>(at) + 1);
    }
    take = (take - leaves) << 1;
  }
}

/** The symbols that occur, by count, then by symbol: insertion, as an alphabet has 256 symbols at most. */
function sortSymbols(counts: usize, alphabet: u32, symbols: usize): usize {
  let m: usize = 0;
  for (let symbol: u32 = 0; symbol < alphabet; symbol++) {
    const count = load<u32>(counts + ((<usize>symbol) << 2));
    if (count == 0) continue;
    let at = m++;
    for (; at > 0; at--) {
      const other = load<u32>(symbols + ((at - 1) << 2));
      if (load<u32>(counts + ((<usize>other) << 2)) <= count) break;
      store<u32>(symbols + (at << 2), other);
    }
    store<u32>(symbols + (at << 2), symbol);
  }
  return m;
}
