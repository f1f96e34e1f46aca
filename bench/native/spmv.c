/* A sparse layer in plain CSR: float32 values, 32-bit columns and row starts. Y = X W^T. */
#define _POSIX_C_SOURCE 199309L
#include "bench.h"

#include <time.h>

/* in: i32 starts[rows + 1], i32 columns[], f32 values[], f32 x[count][batch][columns]. numbers: columns, rows, batch, count. out: f32 y[count][batch][rows].
 * Each run takes the next of the `count` inputs. */
typedef struct Layer {
  const int32_t *starts, *columns;
  const float *values;
  size_t inputs, outputs, batch, count, next;
  float *lanes;
  void (*vector)(const struct Layer *, const float *, float *);
} Layer;

/* Samples side by side in `multiply`: vectors of floats, whose sums stay in registers. */
typedef float Vector __attribute__((vector_size(32), may_alias));
enum { VECTORS = 4, LANES = VECTORS * sizeof(Vector) / sizeof(float) };

/* Three ways through the rows, since no one of them is the fastest for every layer. Four sums in scalars: */
static void by_sums(const Layer *restrict layer, const float *restrict x, float *restrict y) {
  const int32_t *starts = layer->starts, *columns = layer->columns;
  const float *values = layer->values;
  for (size_t row = 0; row < layer->outputs; row++) {
    int32_t i = starts[row], end = starts[row + 1];
    float a = 0, b = 0, c = 0, d = 0;
    for (; i + 4 <= end; i += 4) {
      a += values[i] * x[columns[i]];
      b += values[i + 1] * x[columns[i + 1]];
      c += values[i + 2] * x[columns[i + 2]];
      d += values[i + 3] * x[columns[i + 3]];
    }
    for (; i < end; i++) a += values[i] * x[columns[i]];
    y[row] = (a + b) + (c + d);
  }
}

/* One sum, which the compiler may take apart as it likes. */
#ifndef __clang__
__attribute__((optimize("associative-math", "no-signed-zeros", "no-trapping-math")))
#endif
static void by_compiler(const Layer *restrict layer, const float *restrict x, float *restrict y) {
#ifdef __clang__
#pragma clang fp reassociate(on) contract(fast)
#endif
  const int32_t *starts = layer->starts, *columns = layer->columns;
  const float *values = layer->values;
  for (size_t row = 0; row < layer->outputs; row++) {
    float sum = 0;
    for (int32_t i = starts[row]; i < starts[row + 1]; i++) sum += values[i] * x[columns[i]];
    y[row] = sum;
  }
}

/* Sixteen sums, a vector or two of them. */
static void by_lanes(const Layer *restrict layer, const float *restrict x, float *restrict y) {
  const int32_t *starts = layer->starts, *columns = layer->columns;
  const float *values = layer->values;
  for (size_t row = 0; row < layer->outputs; row++) {
    int32_t i = starts[row], end = starts[row + 1];
    float sums[16] = {0}, sum = 0;
    for (; i + 16 <= end; i += 16) {
      for (int j = 0; j < 16; j++) sums[j] += values[i + j] * x[columns[i + j]];
    }
    for (; i < end; i++) sum += values[i] * x[columns[i]];
    for (int j = 0; j < 16; j++) sum += sums[j];
    y[row] = sum;
  }
}

/* Y of LANES samples at a time, X turned so that a weight meets all of them side by side. */
static void multiply(const Layer *layer, const float *restrict x, float *restrict y) {
  const int32_t *restrict starts = layer->starts, *restrict columns = layer->columns;
  const float *restrict values = layer->values;
  float *restrict lanes = layer->lanes;
  size_t inputs = layer->inputs, outputs = layer->outputs;
  for (size_t first = 0; first < layer->batch; first += LANES) {
    size_t samples = layer->batch - first < LANES ? layer->batch - first : LANES;
    const float *from = x + first * inputs;
    for (size_t column = 0; column < inputs; column++) {
      for (size_t j = 0; j < samples; j++) lanes[column * LANES + j] = from[j * inputs + column];
    }
    for (size_t row = 0; row < outputs; row++) {
      Vector a = {0}, b = {0}, c = {0}, d = {0};
      for (int32_t i = starts[row]; i < starts[row + 1]; i++) {
        const Vector *at = (const Vector *)lanes + (size_t)columns[i] * VECTORS;
        float value = values[i];
        a += value * at[0];
        b += value * at[1];
        c += value * at[2];
        d += value * at[3];
      }
      const Vector sums[VECTORS] = {a, b, c, d};
      float *to = y + first * outputs + row;
      for (size_t j = 0; j < samples; j++) to[j * outputs] = ((const float *)sums)[j];
    }
  }
}

static double least_seconds(const Layer *layer, float *y) {
  double least = 1e9;
  for (int i = 0; i < 5; i++) {
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    layer->vector(layer, (const float *)layer->lanes, y);
    clock_gettime(CLOCK_MONOTONIC, &to);
    double seconds = (double)(to.tv_sec - from.tv_sec) + 1e-9 * (double)(to.tv_nsec - from.tv_nsec);
    if (seconds < least) least = seconds;
  }
  return least;
}

static void prepare_layer(Task *task) {
  Layer *layer = take(sizeof *layer);
  layer->starts = (const int32_t *)task->in[0].bytes;
  layer->columns = (const int32_t *)task->in[1].bytes;
  layer->values = (const float *)task->in[2].bytes;
  layer->inputs = (size_t)task->numbers[0];
  layer->outputs = (size_t)task->numbers[1];
  layer->batch = (size_t)task->numbers[2];
  layer->count = (size_t)task->numbers[3];
  layer->lanes = take(layer->inputs * LANES * sizeof(float));
  task->work = layer;
  float *y = give(task, layer->count * layer->batch * layer->outputs * sizeof(float));
  void (*const ways[])(const Layer *, const float *, float *) = {by_sums, by_compiler, by_lanes};
  double best = 1e9;
  Layer trial = *layer;
  for (int way = 0; way < 3; way++) {
    trial.vector = ways[way];
    double seconds = least_seconds(&trial, y);
    if (seconds >= best) continue;
    best = seconds;
    layer->vector = ways[way];
  }
}

static void run_layer(Task *task) {
  Layer *layer = task->work;
  const float *x = (const float *)task->in[3].bytes + layer->next * layer->batch * layer->inputs;
  float *y = (float *)task->out[0].bytes + layer->next * layer->batch * layer->outputs;
  if (layer->batch == 1) layer->vector(layer, x, y);
  else multiply(layer, x, y);
  layer->next = (layer->next + 1) % layer->count;
}

const Kernel layer_kernels[] = {
  {"csr-layer", prepare_layer, run_layer},
  {NULL, NULL, NULL},
};
