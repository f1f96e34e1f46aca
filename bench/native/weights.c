/* What is done to every weight, the algorithms of assembly/prune and assembly/kmeans/assign.ts. */
#include "bench.h"

#include <math.h>

enum { BINS = 65536 };

/* in: f32 weights[]. numbers: threshold. out: u32 gaps[], f32 survivors[]. */
static void prepare_survivors(Task *task) {
  give(task, task->in[0].length + 64);
  give(task, task->in[0].length + 64);
}

static void found(Task *task, size_t survivors) {
  task->out[0].length = 4 * survivors;
  task->out[1].length = 4 * survivors;
}

/* Sixteen weights a step as a mask of those that stay, as the SIMD kernel does: the compiler makes vectors of the inner loop. */
static void run_prune(Task *task) {
  const float *values = (const float *)task->in[0].bytes;
  size_t count = task->in[0].length / 4;
  float threshold = (float)task->numbers[0];
  uint32_t *gaps = (uint32_t *)task->out[0].bytes;
  float *out = (float *)task->out[1].bytes;
  size_t survivors = 0, next = 0, i = 0;
  for (; i < (count & ~(size_t)15); i += 16) {
    uint32_t mask = 0;
    for (int lane = 0; lane < 16; lane++) mask |= (uint32_t)(fabsf(values[i + lane]) > threshold) << lane;
    for (; mask != 0; mask &= mask - 1) {
      size_t index = i + (size_t)__builtin_ctz(mask);
      gaps[survivors] = (uint32_t)(index - next);
      out[survivors++] = values[index];
      next = index + 1;
    }
  }
  for (; i < count; i++) {
    if (!(fabsf(values[i]) > threshold)) continue;
    gaps[survivors] = (uint32_t)(i - next);
    out[survivors++] = values[i];
    next = i + 1;
  }
  found(task, survivors);
}

/* in: u32 elements[]. out: u32 gaps[], u32 survivors[]. */
static void run_compact(Task *task) {
  const uint32_t *elements = (const uint32_t *)task->in[0].bytes;
  size_t count = task->in[0].length / 4;
  uint32_t *gaps = (uint32_t *)task->out[0].bytes;
  uint32_t *out = (uint32_t *)task->out[1].bytes;
  size_t survivors = 0, next = 0;
  for (size_t i = 0; i < count; i++) {
    if (elements[i] == 0) continue;
    gaps[survivors] = (uint32_t)(i - next);
    out[survivors++] = elements[i];
    next = i + 1;
  }
  found(task, survivors);
}

/* in: f32 weights[]. out: f64[4]. Four lanes of sums, value i in lane i mod 4. */
static void prepare_stats(Task *task) { give(task, 4 * sizeof(double)); }

static void run_stats(Task *task) {
  const float *values = (const float *)task->in[0].bytes;
  const uint32_t *bits = (const uint32_t *)task->in[0].bytes;
  size_t count = task->in[0].length / 4;
  double sums[4] = {0}, squares[4] = {0};
  uint32_t strange[4] = {0}, set[4] = {0};
  for (size_t i = 0; i < (count & ~(size_t)3); i += 4) {
    for (int lane = 0; lane < 4; lane++) {
      float raw = values[i + lane];
      int finite = raw - raw == 0;
      double value = finite ? raw : 0;
      sums[lane] += value;
      squares[lane] += value * value;
      strange[lane] += !finite;
      set[lane] += bits[i + lane] != 0;
    }
  }
  for (size_t i = count & ~(size_t)3; i < count; i++) {
    int finite = values[i] - values[i] == 0;
    double value = finite ? values[i] : 0;
    sums[i & 3] += value;
    squares[i & 3] += value * value;
    strange[i & 3] += !finite;
    set[i & 3] += bits[i] != 0;
  }
  double *out = (double *)task->out[0].bytes;
  out[0] = sums[0] + sums[1] + (sums[2] + sums[3]);
  out[1] = squares[0] + squares[1] + (squares[2] + squares[3]);
  out[2] = (double)strange[0] + strange[1] + strange[2] + strange[3];
  out[3] = (double)set[0] + set[1] + set[2] + set[3];
}

/* in: f32 weights[]. out: u32 counts[BINS]. */
static void prepare_magnitudes(Task *task) { give(task, BINS * sizeof(uint32_t)); }

static void run_magnitudes(Task *task) {
  const uint32_t *bits = (const uint32_t *)task->in[0].bytes;
  uint32_t *counts = (uint32_t *)task->out[0].bytes;
  memset(counts, 0, BINS * sizeof *counts);
  for (size_t i = 0; i < task->in[0].length / 4; i++) counts[(bits[i] & 0x7fffffff) >> 15]++;
}

/* in: f32 weights[]. out: u32 counts[BINS], f64 lows[BINS]. */
static void prepare_floats(Task *task) {
  give(task, BINS * sizeof(uint32_t));
  give(task, BINS * sizeof(double));
}

static void run_floats(Task *task) {
  float_histogram((const uint32_t *)task->in[0].bytes, task->in[0].length / 4, (uint32_t *)task->out[0].bytes, (double *)task->out[1].bytes);
}

void float_histogram(const uint32_t *bits, size_t count, uint32_t *counts, double *lows) {
  memset(counts, 0, BINS * sizeof *counts);
  memset(lows, 0, BINS * sizeof *lows);
  for (size_t i = 0; i < count; i++) {
    counts[bits[i] >> 16]++;
    lows[bits[i] >> 16] += bits[i] & 0xffff;
  }
}

const Kernel weight_kernels[] = {
  {"prune", prepare_survivors, run_prune},
  {"compact", prepare_survivors, run_compact},
  {"stats", prepare_stats, run_stats},
  {"magnitude-histogram", prepare_magnitudes, run_magnitudes},
  {"float-histogram", prepare_floats, run_floats},
  {NULL, NULL, NULL},
};
