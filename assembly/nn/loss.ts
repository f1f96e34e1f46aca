import { exp, log } from "./math";

/**
 * Softmax cross-entropy: the loss of each row, and its mean's gradient.
 *
 * Layout     logits    f32[rows][classes]
 *            labels    u32[rows]           the right class of each row
 *            gradient  f32[rows][classes]  of the mean of the losses, by the logits; may be `logits`
 *            losses    f32[rows]           -ln of the probability of the right class
 * Requires   labels below classes; classes >= 1.
 * Reads      nothing past the lengths above.
 * Order      a row at a time, left to right, in float64; the largest logit is subtracted first; each exp is rounded to float32 for
 *            the gradient, not for the sum; results are rounded to float32 at the end.
 *            A row with a NaN or an infinity that is not negative gives a NaN loss.
 */
export function softmaxCrossEntropy(logits: usize, labels: usize, rows: usize, classes: usize, gradient: usize, losses: usize): void {
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
      store<f32>(to + (c << 2), <f32>((c == label ? probability - 1 : probability) / <f64>rows));
    }
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
