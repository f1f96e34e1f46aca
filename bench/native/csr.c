/* Gap symbols and checksums, the algorithms of assembly/csr and assembly/common/crc32c.ts. */
#include "bench.h"

/* in: u32 gaps[]. numbers: filler, symbols. out: u8 symbols[]. */
static void prepare_fill(Task *task) { give(task, (size_t)task->numbers[1]); }

static void run_fill(Task *task) {
  const uint32_t *gaps = (const uint32_t *)task->in[0].bytes;
  uint32_t filler = (uint32_t)task->numbers[0];
  uint8_t *to = task->out[0].bytes;
  for (size_t i = 0; i < task->in[0].length / 4; i++) {
    uint32_t gap = gaps[i];
    for (; gap >= filler; gap -= filler) *to++ = (uint8_t)filler;
    *to++ = (uint8_t)gap;
  }
  task->out[0].length = (size_t)(to - task->out[0].bytes);
}

/* in: u8 symbols[], u8 codes[], u32 codebook[]. numbers: filler, weights. out: u32 dense[]. */
static void prepare_expand(Task *task) {
  task->work = take(task->in[1].length * sizeof(uint32_t));
  give(task, (size_t)task->numbers[1] * sizeof(uint32_t));
}

static void run_expand(Task *task) {
  const uint8_t *symbols = task->in[0].bytes, *codes = task->in[1].bytes;
  const uint32_t *codebook = (const uint32_t *)task->in[2].bytes;
  uint32_t filler = (uint32_t)task->numbers[0], gap = 0;
  uint32_t *gaps = task->work, *out = (uint32_t *)task->out[0].bytes;
  size_t survivors = task->in[1].length, found = 0;
  memset(out, 0, task->out[0].length);
  for (size_t i = 0; i < task->in[0].length; i++) {
    gap += symbols[i];
    if (symbols[i] == filler) continue;
    if (found == survivors) return;
    gaps[found++] = gap;
    gap = 0;
  }
  for (size_t i = 0; i < survivors; i++) {
    out += gaps[i];
    *out++ = codebook[codes[i]];
  }
}

/* in: u8 bytes[]. out: u32 checksum. */
static void prepare_crc(Task *task) {
  uint32_t(*tables)[256] = take(16 * sizeof *tables);
  for (uint32_t byte = 0; byte < 256; byte++) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (0x82f63b78u & (0 - (crc & 1)));
    tables[0][byte] = crc;
  }
  for (int table = 1; table < 16; table++) {
    for (int byte = 0; byte < 256; byte++) {
      uint32_t crc = tables[table - 1][byte];
      tables[table][byte] = (crc >> 8) ^ tables[0][crc & 255];
    }
  }
  task->work = tables;
  give(task, sizeof(uint32_t));
}

static inline uint32_t load32(const uint8_t *at) {
  uint32_t value;
  memcpy(&value, at, sizeof value);
  return value;
}

static inline uint32_t fold(uint32_t (*tables)[256], uint32_t word) {
  return tables[3][word & 255] ^ tables[2][(word >> 8) & 255] ^ tables[1][(word >> 16) & 255] ^ tables[0][word >> 24];
}

static void run_crc(Task *task) {
  uint32_t(*tables)[256] = task->work;
  const uint8_t *at = task->in[0].bytes;
  size_t left = task->in[0].length;
  uint32_t crc = ~0u;
  for (; left >= 16; left -= 16, at += 16) {
    crc = fold(tables + 12, crc ^ load32(at)) ^ fold(tables + 8, load32(at + 4)) ^ fold(tables + 4, load32(at + 8)) ^ fold(tables, load32(at + 12));
  }
  for (; left > 0; left--, at++) crc = (crc >> 8) ^ tables[0][(crc ^ *at) & 255];
  *(uint32_t *)task->out[0].bytes = ~crc;
}

const Kernel csr_kernels[] = {
  {"fill-gaps", prepare_fill, run_fill},
  {"expand", prepare_expand, run_expand},
  {"crc32c", prepare_crc, run_crc},
  {NULL, NULL, NULL},
};
