// Products with a sparse layer in plain CSR, by the loops that V8 runs fastest: four sums in a row for one sample, eight samples side by side for many. Sums are float64, as numbers are.

/** Samples that `csrMultiply` takes side by side, as a power of two. */
const LANE_BITS = 3;
const LANES = 1 << LANE_BITS;

/** y = W x: a row by four sums. */
export function csrMultiplyVector(starts: Int32Array, columns: Int32Array, values: Float32Array, x: Float32Array, y: Float32Array): void {
  const rows = starts.length - 1;
  for (let row = 0, i = 0; row < rows; row++) {
    const end = starts[row + 1];
    const fours = i + ((end - i) & ~3);
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    for (; i < fours; i += 4) {
      a += values[i] * x[columns[i]];
      b += values[i + 1] * x[columns[i + 1]];
      c += values[i + 2] * x[columns[i + 2]];
      d += values[i + 3] * x[columns[i + 3]];
    }
    for (; i < end; i++) a += values[i] * x[columns[i]];
    y[row] = a + b + (c + d);
  }
}

/** What `csrMultiply` works in. */
export function csrRoom(inputs: number): Float32Array {
  return new Float32Array(LANES * inputs);
}

/** Y = X W^T: x f32[n][inputs], y f32[n][rows]. Eight samples at a time are turned so that a weight meets them side by side. */
export function csrMultiply(
  starts: Int32Array,
  columns: Int32Array,
  values: Float32Array,
  x: Float32Array,
  n: number,
  y: Float32Array,
  room: Float32Array,
): void {
  const rows = starts.length - 1;
  const inputs = x.length / n;
  for (let first = 0; first < n; first += LANES) {
    const samples = Math.min(LANES, n - first);
    for (let column = 0; column < inputs; column++)
      for (let j = 0, from = first * inputs + column; j < samples; j++, from += inputs) room[(column << LANE_BITS) + j] = x[from];
    for (let row = 0, i = 0; row < rows; row++) {
      const end = starts[row + 1];
      let a = 0;
      let b = 0;
      let c = 0;
      let d = 0;
      let e = 0;
      let f = 0;
      let g = 0;
      let h = 0;
      for (; i < end; i++) {
        const value = values[i];
        const at = columns[i] << LANE_BITS;
        a += value * room[at];
        b += value * room[at + 1];
        c += value * room[at + 2];
        d += value * room[at + 3];
        e += value * room[at + 4];
        f += value * room[at + 5];
        g += value * room[at + 6];
        h += value * room[at + 7];
      }
      const to = first * rows + row;
      y[to] = a;
      if (samples > 1) y[to + rows] = b;
      if (samples > 2) y[to + 2 * rows] = c;
      if (samples > 3) y[to + 3 * rows] = d;
      if (samples > 4) y[to + 4 * rows] = e;
      if (samples > 5) y[to + 5 * rows] = f;
      if (samples > 6) y[to + 6 * rows] = g;
      if (samples > 7) y[to + 7 * rows] = h;
    }
  }
}
