/* Weight sharing, the algorithms of assembly/kmeans and src/codec/share.ts. */
#include "bench.h"

enum { BINS = 65536 };

/* in: f32 values[]. numbers: centroids, iterations at most. out: f64 centroids[], u32 iterations. */
typedef struct {
  uint64_t words[FLOAT_BINS];
  uint32_t firsts[FLOAT_BINS];
  double lows[FLOAT_BINS], points[FLOAT_BINS], weights[FLOAT_BINS];
  double weight_sums[FLOAT_BINS + 1], sums[FLOAT_BINS + 1], squares[FLOAT_BINS + 1];
  uint32_t ends[256];
  uint8_t taken[FLOAT_BINS];
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

/* Bins as points at their means, and the sums of what comes before each. */
static size_t points_of(Kmeans *work, const uint32_t *bits, size_t values) {
  bin_floats(bits, values, work->words);
  size_t n = take_bins(work->words, work->firsts, work->weights, work->lows);
  for (size_t i = 0; i < n; i++) {
    double first = float_of(work->firsts[i]), second = float_of(work->firsts[i] | 1), weight = work->weights[i];
    double point = first + (second - first) * (work->lows[i] / weight);
    work->points[i] = point;
    work->weight_sums[i + 1] = work->weight_sums[i] + weight;
    work->sums[i + 1] = work->sums[i] + weight * point;
    work->squares[i + 1] = work->squares[i] + weight * point * point;
  }
  return n;
}

/* How many points are at most `limit`, which are `low` to `high`. */
static size_t points_between(const double *points, size_t low, size_t high, double limit) {
  while (low < high) {
    size_t middle = (low + high) >> 1;
    if (points[middle] <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

static size_t points_up_to(const double *points, size_t count, double limit) { return points_between(points, 0, count, limit); }

/* The same, sought in steps that double from `near` on. */
static size_t points_near(const double *points, size_t count, double limit, size_t near) {
  size_t step = 1;
  if (near > count) return points_up_to(points, count, limit);
  if (near < count && points[near] <= limit) {
    size_t low = near + 1;
    for (; low + step <= count && points[low + step - 1] <= limit; step <<= 1) low += step;
    return points_between(points, low, low + step <= count ? low + step - 1 : count, limit);
  }
  size_t high = near;
  for (; step <= high && points[high - step] > limit; step <<= 1) high -= step;
  return points_between(points, step <= high ? high - step + 1 : 0, high, limit);
}

typedef struct {
  size_t from, to;
  double mean, error;
} Cluster;

static Cluster cluster_of(const Kmeans *work, size_t from, size_t to) {
  double weight = work->weight_sums[to] - work->weight_sums[from], total = work->sums[to] - work->sums[from];
  return (Cluster){from, to, total / weight, work->squares[to] - work->squares[from] - total * total / weight};
}

static void sort(double *centroids, size_t k) {
  for (size_t j = 1; j < k; j++) {
    double centroid = centroids[j];
    size_t at = j;
    for (; at > 0 && centroids[at - 1] > centroid; at--) centroids[at] = centroids[at - 1];
    centroids[at] = centroid;
  }
}

/* Centroids that serve no point: in their place the cluster of the largest error is cut at its mean, as src/codec/start.ts does it. */
static void replace_idle(const Kmeans *work, size_t count, double *centroids, size_t k) {
  Cluster clusters[256];
  size_t n = 0;
  for (size_t j = 0, from = 0; j < k; j++) {
    size_t end = j == k - 1 ? count : points_up_to(work->points, count, (centroids[j] + centroids[j + 1]) / 2);
    if (end == from) continue;
    clusters[n++] = cluster_of(work, from, end);
    from = end;
  }
  if (n == k) return;
  for (; n < k; n++) {
    Cluster *worst = NULL;
    for (Cluster *c = clusters; c < clusters + n; c++) {
      if (c->to - c->from > 1 && (worst == NULL || c->error > worst->error)) worst = c;
    }
    size_t from = worst->from, to = worst->to, cut = points_up_to(work->points, count, worst->mean);
    if (cut <= from) cut = from + 1;
    if (cut >= to) cut = to - 1;
    *worst = cluster_of(work, from, cut);
    clusters[n] = cluster_of(work, cut, to);
  }
  for (size_t j = 0; j < k; j++) centroids[j] = clusters[j].mean;
  sort(centroids, k);
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
  sort(centroids, k);
  return refilled;
}

static uint32_t lloyd(Kmeans *work, size_t count, double *centroids, size_t k, uint32_t most) {
  const double *n = work->weight_sums, *s = work->sums;
  memset(work->ends, 0xff, sizeof work->ends);
  for (uint32_t iteration = 1;; iteration++) {
    int moved = 0, empty = 0;
    for (size_t j = 0; j < k; j++) {
      size_t end = j == k - 1 ? count : points_near(work->points, count, (centroids[j] + centroids[j + 1]) / 2, work->ends[j]);
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
  size_t count = points_of(work, (const uint32_t *)task->in[0].bytes, task->in[0].length / 4);
  double least = work->points[0], most = work->points[count - 1];
  for (size_t j = 0; j < k; j++) centroids[j] = least + ((most - least) * (double)j) / (double)(k - 1);
  replace_idle(work, count, centroids, k);
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
