import { exp, log } from "./math";

/**
 * Softmax cross-entropy: the loss of each row, and the gradient of their sum divided by `samples`.
 *
 * Layout     logits    f32[rows][classes]
 *            labels    u32[rows]           the right class of each row
 *            gradient  f32[rows][classes]  of (the sum of the losses) / samples, by the logits; may be `logits`
 *            losses    f32[rows]           -ln of the probability of the right class
 * Requires   labels below classes; classes >= 1.
 * Reads      nothing past the lengths above.
 * Order      a row at a time, left to right, in float64; the largest logit is subtracted first; each exp is rounded to float32 for
 *            the gradient, not for the sum; results are rounded to float32 at the end.
 *            A row with a NaN or an infinity that is not negative gives a NaN loss.
 */
export function softmaxCrossEntropy(
  logits: usize,
  labels: usize,
  rows: usize,
  classes: usize,
  samples: usize,
  gradient: usize,
  losses: usize,
): void {
  const rowBytes = classes << 2;
  for (let row: usize = 0; row < rows; row++) {
    const at = logits + row * rowBytes;
    const to = gradient + row * rowBytes;
    const label = <usize>load<u32>(labels + (row << 2));
    let most = <f64>load<f32>(at);
    for (let c: usize = 4; c < rowBytes; c += 4) {
      const logit = <f64>load<f32>(at + c);
      if (logit > most) most = logit;
    }
    const right = <f64>load<f32>(at + (label << 2)) - most;
    let sum: f64 = 0;
    for (let c: usize = 0; c < rowBytes; c += 4) {
      const odds = exp(<f64>load<f32>(at + c) - most);
      store<f32>(to + c, <f32>odds);
      sum += odds;
    }
    store<f32>(losses + (row << 2), <f32>(log(sum) - right));
    for (let c: usize = 0; c < classes; c++) {
      const probability = <f64>load<f32>(to + (c << 2)) / sum;
      store<f32>(to + (c << 2), <f32>((c == label ? probability - 1 : probability) / <f64>samples));
    }
  }
}

/**
 * Mixes the loss against soft targets, the softmax of a teacher's logits, into that of `softmaxCrossEntropy`. With a temperature T, p = softmax(logits / T) and
 * q = softmax(teacher / T), a row's loss becomes (1 - weight) * loss + weight * T^2 * (- sum of q ln p), and its gradient likewise.
 *
 * Layout     logits    f32[rows][classes]
 *            teacher   f32[rows][classes]
 *            gradient  f32[rows][classes]  as softmaxCrossEntropy gave it for the same `samples`; not `logits`
 *            losses    f32[rows]           as it gave them
 *            scratch   f64[classes][2]
 * Requires   classes >= 1; temperature > 0.
 * Reads      nothing past the lengths above.
 * Order      a row at a time, left to right, in float64; the largest logit is subtracted first, before the division by T; results are rounded to float32 at
 *            the end. A row with a NaN or an infinity that is not negative gives a NaN loss.
 */
export function mixSoftTargets(
  logits: usize,
  teacher: usize,
  rows: usize,
  classes: usize,
  samples: usize,
  temperature: f64,
  weight: f64,
  gradient: usize,
  losses: usize,
  scratch: usize,
): void {
  const rowBytes = classes << 2;
  for (let row: usize = 0; row < rows; row++) {
    const own = logits + row * rowBytes;
    const other = teacher + row * rowBytes;
    const slope = gradient + row * rowBytes;
    let ownMost = <f64>load<f32>(own);
    let otherMost = <f64>load<f32>(other);
    for (let c: usize = 4; c < rowBytes; c += 4) {
      ownMost = max(ownMost, <f64>load<f32>(own + c));
      otherMost = max(otherMost, <f64>load<f32>(other + c));
    }
    let ownSum: f64 = 0;
    let otherSum: f64 = 0;
    for (let c: usize = 0; c < classes; c++) {
      const ownOdds = exp((<f64>load<f32>(own + (c << 2)) - ownMost) / temperature);
      const otherOdds = exp((<f64>load<f32>(other + (c << 2)) - otherMost) / temperature);
      store<f64>(scratch + (c << 4), ownOdds);
      store<f64>(scratch + (c << 4), otherOdds, 8);
      ownSum += ownOdds;
      otherSum += otherOdds;
    }
    const logSum = log(ownSum);
    let loss: f64 = 0;
    for (let c: usize = 0; c < classes; c++) {
      const p = load<f64>(scratch + (c << 4)) / ownSum;
      const q = load<f64>(scratch + (c << 4), 8) / otherSum;
      // A class that the teacher rules out costs nothing, also where its logit is -Infinity.
      if (q != 0) loss += q * (logSum - (<f64>load<f32>(own + (c << 2)) - ownMost) / temperature);
      const hard = <f64>load<f32>(slope + (c << 2));
      store<f32>(slope + (c << 2), <f32>((1 - weight) * hard + (weight * temperature * (p - q)) / <f64>samples));
    }
    const at = losses + (row << 2);
    store<f32>(at, <f32>((1 - weight) * <f64>load<f32>(at) + weight * temperature * temperature * loss));
  }
}

/**
 * The class of the largest logit of each row, the first of equals.
 *
 * Layout     logits  f32[rows][classes]
 *            out     u32[rows]
 * Requires   classes >= 1.
 * Reads      nothing past the lengths above.
 * Order      comparisons left to right; a NaN is never larger, and in column 0 it stays.
 */
export function argmax(logits: usize, rows: usize, classes: usize, out: usize): void {
  for (let row: usize = 0; row < rows; row++) {
    const at = logits + ((row * classes) << 2);
    let most = load<f32>(at);
    let best: usize = 0;
    for (let c: usize = 1; c < classes; c++) {
      const logit = load<f32>(at + (c << 2));
      if (logit > most) {
        most = logit;
        best = c;
      }
    }
    store<u32>(out + (row << 2), <u32>best);
  }
}
