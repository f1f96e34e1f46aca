/* What is done to every weight, the algorithms of assembly/prune and assembly/kmeans/assign.ts. */
#include "bench.h"

#include <math.h>
#if defined(__AVX__)
#include <immintrin.h>
#endif

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

/* Masks of the sixteen weights that stay, or elements that have a bit set: compilers find the instruction for it only where it is named. */
static inline uint32_t mask_above(const float *values, float threshold) {
#if defined(__AVX__)
  __m256 limit = _mm256_set1_ps(threshold), sign = _mm256_set1_ps(-0.0f);
  __m256 low = _mm256_andnot_ps(sign, _mm256_loadu_ps(values)), high = _mm256_andnot_ps(sign, _mm256_loadu_ps(values + 8));
  return (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(low, limit, _CMP_GT_OQ)) | (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(high, limit, _CMP_GT_OQ)) << 8;
#else
  uint32_t mask = 0;
  for (int lane = 0; lane < 16; lane++) mask |= (uint32_t)(fabsf(values[lane]) > threshold) << lane;
  return mask;
#endif
}

static inline uint32_t mask_set(const uint32_t *elements) {
#if defined(__AVX2__)
  __m256i zero = _mm256_setzero_si256();
  __m256i low = _mm256_cmpeq_epi32(zero, _mm256_loadu_si256((const __m256i *)elements));
  __m256i high = _mm256_cmpeq_epi32(zero, _mm256_loadu_si256((const __m256i *)(elements + 8)));
  uint32_t zeros = (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(low)) | (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(high)) << 8;
  return ~zeros & 0xffff;
#else
  uint32_t mask = 0;
  for (int lane = 0; lane < 16; lane++) mask |= (uint32_t)(elements[lane] != 0) << lane;
  return mask;
#endif
}

typedef struct {
  uint32_t *gaps, *out;
  size_t found, next;
} Survivors;

static inline void keep(Survivors *to, const uint32_t *elements, size_t index) {
  to->gaps[to->found] = (uint32_t)(index - to->next);
  to->out[to->found++] = elements[index];
  to->next = index + 1;
}

static inline void keep_masked(Survivors *to, const uint32_t *elements, size_t first, uint32_t mask) {
  for (; mask != 0; mask &= mask - 1) keep(to, elements, first + (size_t)__builtin_ctz(mask));
}

static void run_prune(Task *task) {
  const float *values = (const float *)task->in[0].bytes;
  const uint32_t *elements = (const uint32_t *)task->in[0].bytes;
  size_t count = task->in[0].length / 4, i = 0;
  float threshold = (float)task->numbers[0];
  Survivors to = {(uint32_t *)task->out[0].bytes, (uint32_t *)task->out[1].bytes, 0, 0};
  for (; i < (count & ~(size_t)15); i += 16) keep_masked(&to, elements, i, mask_above(values + i, threshold));
  for (; i < count; i++) {
    if (fabsf(values[i]) > threshold) keep(&to, elements, i);
  }
  found(task, to.found);
}

/* in: u32 elements[]. out: u32 gaps[], u32 survivors[]. */
static void run_compact(Task *task) {
  const uint32_t *elements = (const uint32_t *)task->in[0].bytes;
  size_t count = task->in[0].length / 4, i = 0;
  Survivors to = {(uint32_t *)task->out[0].bytes, (uint32_t *)task->out[1].bytes, 0, 0};
  for (; i < (count & ~(size_t)15); i += 16) keep_masked(&to, elements, i, mask_set(elements + i));
  for (; i < count; i++) {
    if (elements[i] != 0) keep(&to, elements, i);
  }
  found(task, to.found);
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

/* in: f32 weights[]. out: u32 firsts[], f64 counts[], f64 lows[], of the bins that hold something. */
static void prepare_floats(Task *task) {
  give(task, FLOAT_BINS * sizeof(uint32_t));
  give(task, FLOAT_BINS * sizeof(double));
  give(task, FLOAT_BINS * sizeof(double));
  task->work = take(FLOAT_BINS * sizeof(uint64_t));
}

static void run_floats(Task *task) {
  bin_floats((const uint32_t *)task->in[0].bytes, task->in[0].length / 4, task->work);
  size_t n = take_bins(task->work, (uint32_t *)task->out[0].bytes, (double *)task->out[1].bytes, (double *)task->out[2].bytes);
  task->out[0].length = n * sizeof(uint32_t);
  task->out[1].length = task->out[2].length = n * sizeof(double);
}

enum { LOW_BITS = 13, SUM_BITS = 38 };

void bin_floats(const uint32_t *bits, size_t count, uint64_t *words) {
  for (size_t i = 0; i < count; i++) words[bits[i] >> LOW_BITS] += (UINT64_C(1) << SUM_BITS) + (bits[i] & ((1 << LOW_BITS) - 1));
}

static inline size_t take_bin(uint64_t *words, size_t bin, uint32_t *firsts, double *counts, double *lows, size_t n) {
  uint64_t word = words[bin];
  if (word == 0) return n;
  words[bin] = 0;
  firsts[n] = (uint32_t)bin << LOW_BITS;
  counts[n] = (double)(word >> SUM_BITS);
  lows[n] = (double)(word & ((UINT64_C(1) << SUM_BITS) - 1));
  return n + 1;
}

static inline int all_empty(const uint64_t *words) {
  uint64_t any = 0;
  for (int i = 0; i < 8; i++) any |= words[i];
  return any == 0;
}

size_t take_bins(uint64_t *words, uint32_t *firsts, double *counts, double *lows) {
  size_t n = 0;
  for (size_t group = FLOAT_BINS; group > FLOAT_BINS / 2; group -= 8) {
    if (all_empty(words + group - 8)) continue;
    for (size_t bin = group; bin > group - 8; bin--) n = take_bin(words, bin - 1, firsts, counts, lows, n);
  }
  for (size_t group = 0; group < FLOAT_BINS / 2; group += 8) {
    if (all_empty(words + group)) continue;
    for (size_t bin = group; bin < group + 8; bin++) n = take_bin(words, bin, firsts, counts, lows, n);
  }
  return n;
}

const Kernel weight_kernels[] = {
  {"prune", prepare_survivors, run_prune},
  {"compact", prepare_survivors, run_compact},
  {"stats", prepare_stats, run_stats},
  {"magnitude-histogram", prepare_magnitudes, run_magnitudes},
  {"float-histogram", prepare_floats, run_floats},
  {NULL, NULL, NULL},
};
