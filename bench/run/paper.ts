// What EIE's authors measured on these layers (arXiv 1602.01528, table IV; for AlexNet and VGG-16 also arXiv 1510.00149, appendix A): microseconds a sample, batches of 1 and of 64. The processor by
// MKL's GEMV, GEMM and CSRMV, CSRMM, float32 and pruned alone; the graphics card by cuBLAS and cuSPARSE, copies to it not counted.

export interface PaperRow {
  readonly name: string;
  readonly batch: number;
  /** Microseconds, by layer. */
  readonly times: Readonly<Record<string, number>>;
}

const NAMES = ["Alex-6", "Alex-7", "Alex-8", "VGG-6", "VGG-7", "VGG-8", "NT-We", "NT-Wd", "NT-LSTM"];

function row(name: string, batch: number, ...times: readonly number[]): PaperRow {
  return { name, batch, times: Object.fromEntries(NAMES.map((layer, i) => [layer, times[i]])) };
}

const CPU = "i7-5930K";
const GPU = "Titan X";

export const PAPER: readonly PaperRow[] = [
  row(`${CPU} dense`, 1, 7516.2, 6187.1, 1134.9, 35022.8, 5372.8, 774.2, 605, 1361.4, 470.5),
  row(`${CPU} sparse`, 1, 3066.5, 1282.1, 890.5, 3774.3, 545.1, 777.3, 261.2, 437.4, 260),
  row(`${GPU} dense`, 1, 541.5, 243, 80.5, 1467.8, 243, 80.5, 65, 90.1, 51.9),
  row(`${GPU} sparse`, 1, 134.8, 65.8, 54.6, 167, 39.8, 48, 17.7, 41.1, 18.5),
  row(`${CPU} dense`, 64, 318.4, 188.9, 45.8, 1056, 188.3, 45.7, 28.7, 69, 28.8),
  row(`${CPU} sparse`, 64, 1417.6, 682.1, 407.7, 1780.3, 274.9, 363.1, 117.7, 176.4, 107.4),
  row(`${GPU} dense`, 64, 19.8, 8.9, 5.9, 53.6, 8.9, 5.9, 3.2, 2.3, 2.5),
  row(`${GPU} sparse`, 64, 94.6, 51.5, 23.2, 121.5, 24.4, 22, 10.9, 11, 9),
];
