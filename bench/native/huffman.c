/* Huffman coding in four streams, the algorithm of assembly/huffman. */
#include "bench.h"

/* in: u8 lengths[], u32 stream lengths[4], the streams and 64 bytes more. numbers: symbols. out: u8 symbols[]. */
typedef struct {
  unsigned table_log;
  uint32_t table[1 << 12];
} Decode;

static void first_codes(Span lengths, uint32_t next[16]) {
  uint32_t counts[16] = {0};
  for (size_t symbol = 0; symbol < lengths.length; symbol++) counts[lengths.bytes[symbol]]++;
  uint32_t code = 0;
  counts[0] = 0;
  for (int length = 1; length <= 12; length++) {
    code = (code + counts[length - 1]) << 1;
    next[length] = code;
  }
}

static uint32_t reverse(uint32_t code, unsigned length) {
  uint32_t to = 0;
  for (unsigned i = 0; i < length; i++) {
    to = (to << 1) | (code & 1);
    code >>= 1;
  }
  return to;
}

static void prepare_decode(Task *task) {
  Decode *decode = take(sizeof *decode);
  Span lengths = task->in[0];
  uint32_t next[16];
  first_codes(lengths, next);
  for (size_t symbol = 0; symbol < lengths.length; symbol++) {
    if (lengths.bytes[symbol] > decode->table_log) decode->table_log = lengths.bytes[symbol];
  }
  for (size_t symbol = 0; symbol < lengths.length; symbol++) {
    unsigned length = lengths.bytes[symbol];
    if (length == 0) continue;
    uint32_t index = reverse(next[length]++, length);
    for (; index < 1u << decode->table_log; index += 1u << length) decode->table[index] = (uint32_t)symbol << 8 | length;
  }
  task->work = decode;
  give(task, (size_t)task->numbers[0]);
}

static inline uint64_t peek(const uint8_t *base, uint64_t bit) { return load64(base + (bit >> 3)) >> (bit & 7); }

static void decode4(const uint32_t *table, unsigned table_log, const uint8_t *base, const uint64_t starts[4], uint8_t *out, size_t count) {
  uint64_t mask = (1u << table_log) - 1;
  uint64_t b0 = starts[0], b1 = starts[1], b2 = starts[2], b3 = starts[3];
  size_t o = 0;
  for (; o < (count & ~(size_t)15); o += 16) {
    uint64_t w0 = peek(base, b0), w1 = peek(base, b1), w2 = peek(base, b2), w3 = peek(base, b3);
    for (int round = 0; round < 16; round += 4) {
      uint32_t t0 = table[w0 & mask], t1 = table[w1 & mask], t2 = table[w2 & mask], t3 = table[w3 & mask];
      out[o + round] = t0 >> 8;
      out[o + round + 1] = t1 >> 8;
      out[o + round + 2] = t2 >> 8;
      out[o + round + 3] = t3 >> 8;
      w0 >>= t0 & 63;
      w1 >>= t1 & 63;
      w2 >>= t2 & 63;
      w3 >>= t3 & 63;
      b0 += t0 & 63;
      b1 += t1 & 63;
      b2 += t2 & 63;
      b3 += t3 & 63;
    }
  }
  for (; o < count; o++) {
    uint32_t t = table[peek(base, b0) & mask];
    out[o] = t >> 8;
    uint64_t b = b0 + (t & 63);
    b0 = b1;
    b1 = b2;
    b2 = b3;
    b3 = b;
  }
}

static void run_decode(Task *task) {
  const Decode *decode = task->work;
  const uint32_t *lengths = (const uint32_t *)task->in[1].bytes;
  uint64_t starts[4];
  uint64_t at = 0;
  for (int s = 0; s < 4; s++) {
    starts[s] = at << 3;
    at += lengths[s];
  }
  decode4(decode->table, decode->table_log, task->in[2].bytes, starts, task->out[0].bytes, task->out[0].length);
}

/* in: u8 lengths[], u8 symbols[]. out: u32 stream lengths[4], the streams. */
static void prepare_encode(Task *task) {
  uint32_t *table = take(256 * sizeof *table);
  Span lengths = task->in[0];
  uint32_t next[16];
  first_codes(lengths, next);
  for (size_t symbol = 0; symbol < lengths.length; symbol++) {
    unsigned length = lengths.bytes[symbol];
    if (length != 0) table[symbol] = reverse(next[length]++, length) << 8 | length;
  }
  task->work = table;
  give(task, 4 * sizeof(uint32_t));
  give(task, (task->in[1].length + 4) * 12 / 8 + 64);
}

static size_t encode(const uint32_t *table, const uint8_t *symbols, const uint8_t *end, size_t stride, uint8_t *out) {
  uint8_t *to = out;
  uint64_t held = 0;
  uint64_t bits = 0;
  const uint8_t *at = symbols;
  for (; at + 3 * stride < end; at += 4 * stride) {
    uint64_t a = table[at[0]], b = table[at[stride]], c = table[at[2 * stride]], d = table[at[3 * stride]];
    held |= (a >> 8) << bits;
    bits += a & 255;
    held |= (b >> 8) << bits;
    bits += b & 255;
    held |= (c >> 8) << bits;
    bits += c & 255;
    held |= (d >> 8) << bits;
    bits += d & 255;
    store64(to, held);
    to += bits >> 3;
    held >>= bits & 56;
    bits &= 7;
  }
  for (; at < end; at += stride) {
    uint64_t a = table[*at];
    held |= (a >> 8) << bits;
    bits += a & 255;
    store64(to, held);
    to += bits >> 3;
    held >>= bits & 56;
    bits &= 7;
  }
  return (size_t)(to - out) + (bits > 0);
}

static void run_encode(Task *task) {
  uint32_t *lengths = (uint32_t *)task->out[0].bytes;
  Span symbols = task->in[1];
  size_t total = 0;
  for (int s = 0; s < 4; s++) {
    lengths[s] = (uint32_t)encode(task->work, symbols.bytes + s, symbols.bytes + symbols.length, 4, task->out[1].bytes + total);
    total += lengths[s];
  }
  task->out[1].length = total;
}

const Kernel huffman_kernels[] = {
  {"huffman-decode", prepare_decode, run_decode},
  {"huffman-encode", prepare_encode, run_encode},
  {NULL, NULL, NULL},
};
