/**
 * A step of stochastic gradient descent: velocity = momentum * velocity + (gradient + decay * weight), then weight -= rate * velocity.
 *
 * Layout     weights   f32[count]
 *            gradient  f32[count]
 *            velocity  f32[count]
 * Reads      nothing past the lengths above, in either build.
 * Order      as written above, each operation rounded to float32.
 */
export function sgdStep(weights: usize, gradient: usize, velocity: usize, count: usize, rate: f32, momentum: f32, decay: f32): void {
  const byteLength = count << 2;
  let i: usize = 0;
  if (ASC_FEATURE_SIMD) {
    const rates = f32x4.splat(rate);
    const momenta = f32x4.splat(momentum);
    const decays = f32x4.splat(decay);
    for (const body = byteLength & ~15; i < body; i += 16) {
      const weight = v128.load(weights + i);
      const slope = f32x4.add(v128.load(gradient + i), f32x4.mul(decays, weight));
      const speed = f32x4.add(f32x4.mul(momenta, v128.load(velocity + i)), slope);
      v128.store(velocity + i, speed);
      v128.store(weights + i, f32x4.sub(weight, f32x4.mul(rates, speed)));
    }
  }
  for (; i < byteLength; i += 4) {
    const weight = load<f32>(weights + i);
    const slope = load<f32>(gradient + i) + decay * weight;
    const speed = momentum * load<f32>(velocity + i) + slope;
    store<f32>(velocity + i, speed);
    store<f32>(weights + i, weight - rate * speed);
  }
}

/**
 * A step of Adam (Kingma and Ba 2015): slope = gradient + decay * weight; mean = meanKept * mean + meanShare * slope;
 * square = squareKept * square + (squareShare * slope) * slope; weight = kept * weight - rate * (mean / (sqrt(square) * root + epsilon)).
 *
 * Layout     weights   f32[count]
 *            gradient  f32[count]
 *            means     f32[count]
 *            squares   f32[count]
 * Reads      nothing past the lengths above, in either build.
 * Order      as written above, each operation rounded to float32.
 */
export function adamStep(
  weights: usize,
  gradient: usize,
  means: usize,
  squares: usize,
  count: usize,
  rate: f32,
  root: f32,
  meanKept: f32,
  meanShare: f32,
  squareKept: f32,
  squareShare: f32,
  epsilon: f32,
  decay: f32,
  kept: f32,
): void {
  const byteLength = count << 2;
  let i: usize = 0;
  if (ASC_FEATURE_SIMD) {
    for (const body = byteLength & ~15; i < body; i += 16) {
      const weight = v128.load(weights + i);
      const slope = f32x4.add(v128.load(gradient + i), f32x4.mul(f32x4.splat(decay), weight));
      const mean = f32x4.add(f32x4.mul(f32x4.splat(meanKept), v128.load(means + i)), f32x4.mul(f32x4.splat(meanShare), slope));
      const squared = f32x4.mul(f32x4.mul(f32x4.splat(squareShare), slope), slope);
      const square = f32x4.add(f32x4.mul(f32x4.splat(squareKept), v128.load(squares + i)), squared);
      v128.store(means + i, mean);
      v128.store(squares + i, square);
      const spread = f32x4.add(f32x4.mul(f32x4.sqrt(square), f32x4.splat(root)), f32x4.splat(epsilon));
      v128.store(weights + i, f32x4.sub(f32x4.mul(f32x4.splat(kept), weight), f32x4.mul(f32x4.splat(rate), f32x4.div(mean, spread))));
    }
  }
  for (; i < byteLength; i += 4) {
    const weight = load<f32>(weights + i);
    const slope = load<f32>(gradient + i) + decay * weight;
    const mean = meanKept * load<f32>(means + i) + meanShare * slope;
    const square = squareKept * load<f32>(squares + i) + squareShare * slope * slope;
    store<f32>(means + i, mean);
    store<f32>(squares + i, square);
    store<f32>(weights + i, kept * weight - rate * (mean / (Mathf.sqrt(square) * root + epsilon)));
  }
}
