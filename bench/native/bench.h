/* What the kernels and the driver of the native benchmark share. */
#ifndef COPPICE_BENCH_H
#define COPPICE_BENCH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct {
  uint8_t *bytes;
  size_t length;
} Span;

enum { MOST_INPUTS = 8, MOST_OUTPUTS = 4 };

/* One kernel on one input. `prepare` fills the outputs' spans and `work`; `run` may shorten an output to what it wrote. */
typedef struct {
  const double *numbers;
  Span in[MOST_INPUTS];
  Span out[MOST_OUTPUTS];
  int outputs;
  void *work;
} Task;

typedef struct {
  const char *name;
  void (*prepare)(Task *);
  void (*run)(Task *);
} Kernel;

/* Zeroed memory, touched: what was never touched would be measured at its first touch. */
void *take(size_t bytes);

/* The next output of a task, at most `bytes` long. */
void *give(Task *task, size_t bytes);

static inline uint64_t load64(const uint8_t *at) {
  uint64_t value;
  memcpy(&value, at, sizeof value);
  return value;
}

static inline void store64(uint8_t *at, uint64_t value) { memcpy(at, &value, sizeof value); }

/* The families, each ended by a kernel without a name. */
extern const Kernel huffman_kernels[], weight_kernels[], sharing_kernels[], csr_kernels[], gemm_kernels[], layer_kernels[];

/* Float bins, as assembly/kmeans/bins.ts has them: of values that share their upper 19 bits, how many and the sum of the lower 13, in one word. */
enum { FLOAT_BINS = 1 << 19 };
void bin_floats(const uint32_t *bits, size_t count, uint64_t *words);

/* Takes what was counted, in the order of the values, and leaves none: first bits of the bins, counts, sums. Returns how many. */
size_t take_bins(uint64_t *words, uint32_t *firsts, double *counts, double *lows);

#endif
