/* Weight sharing, the algorithms of assembly/kmeans and src/codec/share.ts. */
#include "bench.h"

enum { BINS = 65536 };

/* in: f32 values[]. numbers: centroids, iterations at most. out: f64 centroids[], u32 iterations. */
typedef struct {
  uint32_t counts[BINS];
  double lows[BINS], points[BINS], weights[BINS], weight_sums[BINS + 1], sums[BINS + 1];
  uint32_t ends[256];
  uint8_t taken[BINS];
} Kmeans;

static void prepare_kmeans(Task *task) {
  task->work = take(sizeof(Kmeans));
  give(task, (size_t)task->numbers[0] * sizeof(double));
  give(task, sizeof(uint32_t));
}

static float float_of(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static size_t points_of(Kmeans *work) {
  size_t n = 0;
  for (uint32_t i = 0; i < BINS; i++) {
    uint32_t bin = i < BINS / 2 ? BINS - 1 - i : i - BINS / 2;
    if (work->counts[bin] == 0) continue;
    double first = float_of(bin << 16), second = float_of(bin << 16 | 1);
    work->points[n] = first + (second - first) * (work->lows[bin] / work->counts[bin]);
    work->weights[n++] = work->counts[bin];
  }
  return n;
}

static size_t points_up_to(const double *points, size_t count, double limit) {
  size_t low = 0, high = count;
  while (low < high) {
    size_t middle = (low + high) >> 1;
    if (points[middle] <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

/* Empty clusters take the points that are served worst, each as its new centroid; then the centroids are sorted. */
static int refill(Kmeans *work, size_t count, double *centroids, size_t k) {
  int refilled = 0;
  memset(work->taken, 0, count);
  for (size_t j = 0, from = 0; j < k; from = work->ends[j], j++) {
    if (work->ends[j] != from) continue;
    size_t worst = SIZE_MAX;
    double most = 0;
    for (size_t c = 0, i = 0; c < k; c++) {
      for (; i < work->ends[c]; i++) {
        double away = work->points[i] - centroids[c];
        double distance = work->weights[i] * (away * away);
        if (distance > most && !work->taken[i]) {
          most = distance;
          worst = i;
        }
      }
    }
    if (worst == SIZE_MAX) break;
    work->taken[worst] = 1;
    centroids[j] = work->points[worst];
    refilled = 1;
  }
  for (size_t j = 1; j < k; j++) {
    double centroid = centroids[j];
    size_t at = j;
    for (; at > 0 && centroids[at - 1] > centroid; at--) centroids[at] = centroids[at - 1];
    centroids[at] = centroid;
  }
  return refilled;
}

static uint32_t lloyd(Kmeans *work, size_t count, double *centroids, size_t k, uint32_t most) {
  const double *n = work->weight_sums, *s = work->sums;
  for (size_t i = 0; i < count; i++) {
    work->weight_sums[i + 1] = n[i] + work->weights[i];
    work->sums[i + 1] = s[i] + work->weights[i] * work->points[i];
  }
  memset(work->ends, 0xff, sizeof work->ends);
  for (uint32_t iteration = 1;; iteration++) {
    int moved = 0, empty = 0;
    for (size_t j = 0; j < k; j++) {
      size_t end = j == k - 1 ? count : points_up_to(work->points, count, (centroids[j] + centroids[j + 1]) / 2);
      if (work->ends[j] != (uint32_t)end) moved = 1;
      work->ends[j] = (uint32_t)end;
    }
    for (size_t j = 0, from = 0; j < k; from = work->ends[j], j++) {
      size_t to = work->ends[j];
      if (n[to] - n[from] == 0) empty = 1;
      else centroids[j] = (s[to] - s[from]) / (n[to] - n[from]);
    }
    if (empty && refill(work, count, centroids, k)) moved = 1;
    if (!moved || iteration == most) return iteration;
  }
}

static void run_kmeans(Task *task) {
  Kmeans *work = task->work;
  double *centroids = (double *)task->out[0].bytes;
  size_t k = (size_t)task->numbers[0];
  float_histogram((const uint32_t *)task->in[0].bytes, task->in[0].length / 4, work->counts, work->lows);
  size_t count = points_of(work);
  double least = work->points[0], most = work->points[count - 1];
  for (size_t j = 0; j < k; j++) centroids[j] = least + ((most - least) * (double)j) / (double)(k - 1);
  *(uint32_t *)task->out[1].bytes = lloyd(work, count, centroids, k, (uint32_t)task->numbers[1]);
}

/* in: f32 values[], f64 midpoints[]. out: u8 codes[]. */
static void prepare_assign(Task *task) {
  task->work = take(2 * BINS);
  give(task, task->in[0].length / 4);
}

static unsigned below(const double *midpoints, unsigned low, unsigned high, double value) {
  while (low < high) {
    unsigned middle = (low + high) >> 1;
    if (midpoints[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

static void run_assign(Task *task) {
  const float *values = (const float *)task->in[0].bytes;
  const uint32_t *bits = (const uint32_t *)task->in[0].bytes;
  const double *midpoints = (const double *)task->in[1].bytes;
  unsigned boundaries = (unsigned)(task->in[1].length / 8);
  uint8_t *least = task->work, *most = least + BINS, *codes = task->out[0].bytes;
  for (uint32_t upper = 0; upper < BINS; upper++) {
    float one = float_of(upper << 16), other = float_of(upper << 16 | 0xffff);
    int finite = one - one == 0;
    least[upper] = finite ? below(midpoints, 0, boundaries, one < other ? one : other) : 0;
    most[upper] = finite ? below(midpoints, 0, boundaries, one < other ? other : one) : boundaries;
  }
  for (size_t i = 0; i < task->in[0].length / 4; i++) {
    unsigned low = least[bits[i] >> 16], high = most[bits[i] >> 16];
    codes[i] = (uint8_t)(low == high ? low : below(midpoints, low, high, values[i]));
  }
}

/* in: f32 gradients[], u8 codes[]. numbers: centroids. out: f32[]. */
static void prepare_gradient(Task *task) { give(task, (size_t)task->numbers[0] * sizeof(float)); }

static void run_gradient(Task *task) {
  const float *gradients = (const float *)task->in[0].bytes;
  const uint8_t *codes = task->in[1].bytes;
  double sums[256] = {0};
  for (size_t i = 0; i < task->in[1].length; i++) sums[codes[i]] += gradients[i];
  float *out = (float *)task->out[0].bytes;
  for (size_t j = 0; j < (size_t)task->numbers[0]; j++) out[j] = (float)sums[j];
}

const Kernel sharing_kernels[] = {
  {"kmeans", prepare_kmeans, run_kmeans},
  {"assign", prepare_assign, run_assign},
  {"codebook-gradient", prepare_gradient, run_gradient},
  {NULL, NULL, NULL},
};
