/** Where 16 bytes stand when they are turned round. */
const TURNED: usize = memory.data<u8>([15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0], 16);

/**
 * Four runs dealt out in turn: out[4i + s] is symbol i of run s, the byte at top + s * pitch - 1 - i.
 *
 * Layout     runs  going downwards from top, top + pitch and so on
 *            out   u8[count]
 * Reads      nothing past the runs.
 * Order      exact copies.
 */
export function dealOut(top: usize, pitch: usize, count: usize, out: usize): void {
  let r0 = top;
  let r1 = r0 + pitch;
  let r2 = r1 + pitch;
  let r3 = r2 + pitch;
  const end = out + count;
  let o = out;
  if (ASC_FEATURE_SIMD) {
    // Turned round by a mask that the compiler does not know: a known one it would make anew for each shuffle.
    const turned = v128.load(TURNED);
    for (const body = out + (count & ~63); o < body; o += 64) {
      const a = i8x16.swizzle(v128.load((r0 -= 16)), turned);
      const b = i8x16.swizzle(v128.load((r1 -= 16)), turned);
      const c = i8x16.swizzle(v128.load((r2 -= 16)), turned);
      const d = i8x16.swizzle(v128.load((r3 -= 16)), turned);
      const ab = i8x16.shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      const cd = i8x16.shuffle(c, d, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      v128.store(o, i16x8.shuffle(ab, cd, 0, 8, 1, 9, 2, 10, 3, 11));
      v128.store(o, i16x8.shuffle(ab, cd, 4, 12, 5, 13, 6, 14, 7, 15), 16);
      const upperAb = i8x16.shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
      const upperCd = i8x16.shuffle(c, d, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
      v128.store(o, i16x8.shuffle(upperAb, upperCd, 0, 8, 1, 9, 2, 10, 3, 11), 32);
      v128.store(o, i16x8.shuffle(upperAb, upperCd, 4, 12, 5, 13, 6, 14, 7, 15), 48);
    }
  } else {
    const BYTES: u64 = 0x00ff00ff00ff00ff;
    const PAIRS: u64 = 0x0000ffff0000ffff;
    for (const body = out + (count & ~31); o < body; o += 32) {
      const a = load<u64>((r0 -= 8));
      const b = load<u64>((r1 -= 8));
      const c = load<u64>((r2 -= 8));
      const d = load<u64>((r3 -= 8));
      // Symbol i of a run is its byte 7 - i: the odd symbols of two runs in pairs, and the even ones.
      const abOdd = (a & BYTES) | ((b & BYTES) << 8);
      const cdOdd = (c & BYTES) | ((d & BYTES) << 8);
      const abEven = ((a >> 8) & BYTES) | (b & ~BYTES);
      const cdEven = ((c >> 8) & BYTES) | (d & ~BYTES);
      // Symbols 7 and 3 of all four, 5 and 1, 6 and 2, 4 and 0.
      const of73 = (abOdd & PAIRS) | ((cdOdd & PAIRS) << 16);
      const of51 = ((abOdd >> 16) & PAIRS) | (cdOdd & ~PAIRS);
      const of62 = (abEven & PAIRS) | ((cdEven & PAIRS) << 16);
      const of40 = ((abEven >> 16) & PAIRS) | (cdEven & ~PAIRS);
      store<u64>(o, (of40 >> 32) | ((of51 >> 32) << 32));
      store<u64>(o, (of62 >> 32) | ((of73 >> 32) << 32), 8);
      store<u64>(o, (of40 & 0xffffffff) | (of51 << 32), 16);
      store<u64>(o, (of62 & 0xffffffff) | (of73 << 32), 24);
    }
  }
  while (o < end) {
    store<u8>(o++, load<u8>(--r0));
    // The runs take turns.
    const r = r0;
    r0 = r1;
    r1 = r2;
    r2 = r3;
    r3 = r;
  }
}
