/* Runs one kernel as it is told: `bench KERNEL INPUT`, then lines on standard input.
 *
 * The input is 8-byte words: how many arrays follow, then for each its bytes and the bytes themselves, filled up to a multiple of 16. The first array is the kernel's numbers, f64.
 * `run N` runs N times and prints the nanoseconds in all; `digest` prints FNV-1a of the outputs, as bench/kernels/task.ts takes it; `write FILE` writes the first output to a file and prints its bytes.
 */
#define _POSIX_C_SOURCE 199309L
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const Kernel *const families[] = {huffman_kernels, weight_kernels, sharing_kernels, csr_kernels, gemm_kernels, layer_kernels};

void *take(size_t bytes) {
  size_t rounded = (bytes + 127) / 64 * 64;
  void *memory = aligned_alloc(64, rounded);
  if (memory == NULL) {
    fprintf(stderr, "out of memory\n");
    exit(1);
  }
  memset(memory, 0, rounded);
  return memory;
}

void *give(Task *task, size_t bytes) {
  Span *span = &task->out[task->outputs++];
  span->bytes = take(bytes);
  span->length = bytes;
  return span->bytes;
}

static const Kernel *find(const char *name) {
  for (size_t f = 0; f < sizeof families / sizeof *families; f++) {
    for (const Kernel *kernel = families[f]; kernel->name != NULL; kernel++) {
      if (strcmp(kernel->name, name) == 0) return kernel;
    }
  }
  return NULL;
}

static int read_inputs(const char *path, Task *task) {
  FILE *file = fopen(path, "rb");
  uint64_t count = 0;
  if (file == NULL || fread(&count, 8, 1, file) != 1 || count < 1 || count > MOST_INPUTS + 1) return 0;
  for (uint64_t i = 0; i < count; i++) {
    uint64_t length = 0;
    if (fread(&length, 8, 1, file) != 1) return 0;
    uint64_t filled = (length + 15) / 16 * 16;
    Span span = {take(filled), length};
    if (fread(span.bytes, 1, filled, file) != filled) return 0;
    if (i == 0) task->numbers = (const double *)span.bytes;
    else task->in[i - 1] = span;
  }
  fclose(file);
  return 1;
}

static uint32_t mix(uint32_t hash, uint8_t byte) { return (hash ^ byte) * 0x01000193u; }

static uint32_t digest(const Task *task) {
  uint32_t hash = 0x811c9dc5u;
  for (int i = 0; i < task->outputs; i++) {
    for (size_t rest = task->out[i].length; rest > 0; rest >>= 8) hash = mix(hash, (uint8_t)rest);
    for (size_t at = 0; at < task->out[i].length; at++) hash = mix(hash, task->out[i].bytes[at]);
  }
  return hash;
}

static int write_output(const char *path, const Span *span) {
  FILE *file = fopen(path, "wb");
  if (file == NULL) return 0;
  int whole = fwrite(span->bytes, 1, span->length, file) == span->length;
  return fclose(file) == 0 && whole;
}

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int main(int argc, char **argv) {
  static Task task;
  const Kernel *kernel = argc == 3 ? find(argv[1]) : NULL;
  if (kernel == NULL || !read_inputs(argv[2], &task)) {
    fprintf(stderr, "usage: bench KERNEL INPUT\n");
    return 2;
  }
  kernel->prepare(&task);
  char line[4200];
  while (fgets(line, sizeof line, stdin) != NULL) {
    long times = 0;
    if (sscanf(line, "run %ld", &times) == 1) {
      int64_t start = now();
      for (long i = 0; i < times; i++) kernel->run(&task);
      printf("%lld\n", (long long)(now() - start));
    } else if (strncmp(line, "write ", 6) == 0) {
      line[strcspn(line, "\n")] = 0;
      if (!write_output(line + 6, &task.out[0])) return 1;
      printf("%zu\n", task.out[0].length);
    } else {
      printf("%08x\n", digest(&task));
    }
    fflush(stdout);
  }
  return 0;
}
