/**
 * Lengths of an optimal prefix code of limited length: package-merge. L. L. Larmore and D. S. Hirschberg, "A fast algorithm for optimal
 * length-limited Huffman codes", Journal of the ACM 37 (1990), 464-473.
 *
 * The leaves are the m symbols that occur, ascending by count, then by symbol. Level 1 is the leaves. Level l + 1 is the leaves merged, by weight, with the
 * packages of level l: its items two by two from the first on, a last one without a partner left out, each package as heavy as both. On equal
 * weight the leaf goes first, so that codes get no longer than they need to. Of level `maxLength` the first 2(m - 1) items are taken; each package taken takes its two items on the level
 * below. A symbol's length is the number of times that its leaf is taken.
 *
 * Items are taken from the front of each level, so the leaves taken on it are the first ones: to know their number is enough, and of each level
 * only which items are packages is kept. Weights are sums of at most 12 * 256 counts below 2^32, exact in float64.
 */
export function codeLengths(counts: Uint32Array, maxLength: number): Uint8Array {
  const leaves = leavesOf(counts);
  const m = leaves.length;
  if (m < 2 || m > 2 ** maxLength) throw new RangeError(`counts must have 2 to ${2 ** maxLength} symbols that occur, got ${m}`);

  // Level l stands in [l * width, (l + 1) * width) of isPackage. A level has the m leaves and fewer than m packages.
  const width = 2 * m;
  const isPackage = new Uint8Array(width * maxLength);
  let below = new Float64Array(width);
  let weights = new Float64Array(width);
  let belowLength = 0;
  for (let level = 0; level < maxLength; level++) {
    const packages = belowLength >>> 1;
    let leaf = 0;
    for (let at = 0, next = 0; at < m + packages; at++) {
      const packed = next < packages ? below[2 * next] + below[2 * next + 1] : Number.POSITIVE_INFINITY;
      const isNext = next < packages && (leaf === m || packed < counts[leaves[leaf]]);
      weights[at] = isNext ? packed : counts[leaves[leaf]];
      isPackage[level * width + at] = isNext ? 1 : 0;
      if (isNext) next++;
      else leaf++;
    }
    belowLength = m + packages;
    [below, weights] = [weights, below];
  }

  const lengths = new Uint8Array(counts.length);
  let taken = 2 * (m - 1);
  for (let level = maxLength - 1; taken > 0; level--) {
    let packages = 0;
    for (let at = 0; at < taken; at++) packages += isPackage[level * width + at];
    for (let leaf = 0; leaf < taken - packages; leaf++) lengths[leaves[leaf]]++;
    taken = 2 * packages;
  }
  return lengths;
}

/** The symbols that occur, ascending by count, then by symbol. */
function leavesOf(counts: Uint32Array): Uint32Array {
  let m = 0;
  for (let symbol = 0; symbol < counts.length; symbol++) if (counts[symbol] > 0) m++;
  const leaves = new Uint32Array(m);
  for (let symbol = 0, at = 0; symbol < counts.length; symbol++) if (counts[symbol] > 0) leaves[at++] = symbol;
  return leaves.sort((a, b) => counts[a] - counts[b] || a - b);
}
