/* A float32 matrix product, the algorithm of assembly/nn: packed panels, tiles of 4 x 8. Each product and each sum is rounded by itself. */
#include "bench.h"

enum { ROWS = 4, COLUMNS = 8, BLOCK_K = 256, BLOCK_M = 128 };

/* in: f32 a[m][k], f32 b[k][n]. numbers: m, n, k. out: f32 c[m][n]. */
typedef struct {
  size_t m, n, k;
  float *a, *b;
} Gemm;

static size_t up(size_t count, size_t width) { return (count + width - 1) / width * width; }

static void prepare_gemm(Task *task) {
  Gemm *gemm = take(sizeof *gemm);
  gemm->m = (size_t)task->numbers[0];
  gemm->n = (size_t)task->numbers[1];
  gemm->k = (size_t)task->numbers[2];
  gemm->a = take(up(gemm->m, ROWS) * gemm->k * sizeof(float));
  gemm->b = take(up(gemm->n, COLUMNS) * gemm->k * sizeof(float));
  task->work = gemm;
  give(task, gemm->m * gemm->n * sizeof(float));
}

static void pack_rows(const float *from, size_t count, size_t depth, float *out) {
  for (size_t i = 0; i < count; i += ROWS) {
    for (size_t p = 0; p < depth; p++) {
      for (size_t r = 0; r < ROWS; r++) *out++ = i + r < count ? from[(i + r) * depth + p] : 0;
    }
  }
}

static void pack_columns(const float *from, size_t count, size_t depth, float *out) {
  for (size_t j = 0; j < count; j += COLUMNS) {
    for (size_t p = 0; p < depth; p++) {
      for (size_t c = 0; c < COLUMNS; c++) *out++ = j + c < count ? from[p * count + j + c] : 0;
    }
  }
}

static void multiply_tile(const float *a, const float *b, float *c, size_t stride, size_t depth, int on_top) {
  float sums[ROWS][COLUMNS] = {{0}};
  if (on_top) {
    for (int r = 0; r < ROWS; r++) memcpy(sums[r], c + (size_t)r * stride, sizeof sums[r]);
  }
  for (size_t p = 0; p < depth; p++, a += ROWS, b += COLUMNS) {
    for (int r = 0; r < ROWS; r++) {
      for (int j = 0; j < COLUMNS; j++) sums[r][j] += a[r] * b[j];
    }
  }
  for (int r = 0; r < ROWS; r++) memcpy(c + (size_t)r * stride, sums[r], sizeof sums[r]);
}

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

static void run_gemm(Task *task) {
  const Gemm *gemm = task->work;
  size_t m = gemm->m, n = gemm->n, k = gemm->k;
  float *c = (float *)task->out[0].bytes;
  float edge[ROWS * COLUMNS];
  pack_rows((const float *)task->in[0].bytes, m, k, gemm->a);
  pack_columns((const float *)task->in[1].bytes, n, k, gemm->b);
  for (size_t p = 0; p < k; p += BLOCK_K) {
    size_t depth = least(BLOCK_K, k - p);
    for (size_t i0 = 0; i0 < m; i0 += BLOCK_M) {
      for (size_t j = 0; j < n; j += COLUMNS) {
        for (size_t i = i0; i < least(i0 + BLOCK_M, m); i += ROWS) {
          const float *a = gemm->a + i * k + p * ROWS, *b = gemm->b + j * k + p * COLUMNS;
          float *to = c + i * n + j;
          if (i + ROWS <= m && j + COLUMNS <= n) {
            multiply_tile(a, b, to, n, depth, p > 0);
            continue;
          }
          size_t rows = least(ROWS, m - i), bytes = least(COLUMNS, n - j) * sizeof(float);
          for (size_t r = 0; p > 0 && r < rows; r++) memcpy(edge + r * COLUMNS, to + r * n, bytes);
          multiply_tile(a, b, edge, COLUMNS, depth, p > 0);
          for (size_t r = 0; r < rows; r++) memcpy(to + r * n, edge + r * COLUMNS, bytes);
        }
      }
    }
  }
}

const Kernel gemm_kernels[] = {
  {"gemm", prepare_gemm, run_gemm},
  {NULL, NULL, NULL},
};
