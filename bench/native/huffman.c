/* Huffman coding in four streams, the algorithm of assembly/huffman. */
#include "bench.h"

/* in: u8 lengths[], u32 stream lengths[4], the streams and 64 bytes more. numbers: symbols. out: u8 symbols[]. */
typedef struct {
  unsigned table_log;
  uint8_t code_lengths[1 << 12];
  uint8_t symbols[1 << 12];
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
    for (; index < 1u << decode->table_log; index += 1u << length) {
      decode->code_lengths[index] = (uint8_t)length;
      decode->symbols[index] = (uint8_t)symbol;
    }
  }
  task->work = decode;
  give(task, (size_t)task->numbers[0]);
}

/* The bits that follow, and a one above them: the zeros that come in above the one are the bits that were used. */
static inline uint64_t window_at(const uint8_t *from, unsigned used) { return (load64(from) | (uint64_t)1 << 63) >> used; }

typedef struct {
  const uint8_t *from;
  uint64_t window;
} Stream;

static inline void refill(Stream *stream) {
  unsigned used = (unsigned)__builtin_clzll(stream->window);
  stream->from += used >> 3;
  stream->window = window_at(stream->from, used & 7);
}

static inline uint8_t next_symbol(const Decode *decode, uint64_t mask, Stream *stream) {
  size_t index = stream->window & mask;
  stream->window >>= decode->code_lengths[index];
  return decode->symbols[index];
}

/* `rounds` symbols of each stream between two looks at memory: their codes fit in the 56 bits of a window. */
static inline __attribute__((always_inline)) size_t decode_rounds(const Decode *decode, Stream stream[4], uint8_t *out, size_t o, size_t end, int rounds) {
  uint64_t mask = (1u << decode->table_log) - 1;
  Stream a = stream[0], b = stream[1], c = stream[2], d = stream[3];
  for (; o < end; o += 4 * (size_t)rounds) {
    for (int round = 0; round < 4 * rounds; round += 4) {
      out[o + round] = next_symbol(decode, mask, &a);
      out[o + round + 1] = next_symbol(decode, mask, &b);
      out[o + round + 2] = next_symbol(decode, mask, &c);
      out[o + round + 3] = next_symbol(decode, mask, &d);
    }
    refill(&a);
    refill(&b);
    refill(&c);
    refill(&d);
  }
  stream[0] = a;
  stream[1] = b;
  stream[2] = c;
  stream[3] = d;
  return o;
}

static void decode4(const Decode *decode, Stream stream[4], uint8_t *out, size_t count) {
  uint64_t mask = (1u << decode->table_log) - 1;
  size_t o = 0;
  if (decode->table_log <= 9) o = decode_rounds(decode, stream, out, o, count - count % 24, 6);
  o = decode_rounds(decode, stream, out, o, count - (count - o) % 16, 4);
  for (; o < count; o++) {
    out[o] = next_symbol(decode, mask, &stream[o & 3]);
    refill(&stream[o & 3]);
  }
}

static void run_decode(Task *task) {
  const Decode *decode = task->work;
  const uint32_t *lengths = (const uint32_t *)task->in[1].bytes;
  Stream stream[4];
  const uint8_t *at = task->in[2].bytes;
  for (int i = 0; i < 4; i++) {
    stream[i] = (Stream){at, window_at(at, 0)};
    at += lengths[i];
  }
  decode4(decode, stream, task->out[0].bytes, task->out[0].length);
}

/* in: u8 lengths[], u8 symbols[]. out: u32 stream lengths[4], the streams. */
static void prepare_encode(Task *task) {
  uint64_t *codes = take(256 * sizeof *codes);
  Span lengths = task->in[0];
  uint32_t next[16];
  first_codes(lengths, next);
  for (size_t symbol = 0; symbol < lengths.length; symbol++) {
    unsigned length = lengths.bytes[symbol];
    if (length != 0) codes[symbol] = (uint64_t)reverse(next[length]++, length) << (64 - length) | length;
  }
  task->work = codes;
  give(task, 4 * sizeof(uint32_t));
  give(task, (task->in[1].length + 4) * 12 / 8 + 64);
}

/* What is held of a stream stands in the upper bits, so that an entry, code above and length below, goes in as it is. */
typedef struct {
  uint64_t held;
  uint64_t bits;
  uint8_t *to;
} Sink;

static inline void put(Sink *sink, uint64_t code) {
  sink->held = (sink->held >> (code & 63)) | code;
  sink->bits += code;
}

static inline void flush(Sink *sink) {
  store64(sink->to, sink->held >> (-sink->bits & 63));
  sink->to += (sink->bits & 63) >> 3;
  sink->bits &= 7;
}

/* Two streams out of four, as the kernel does: more of them do not stay in registers there. Where each stream ends goes to `ends`. */
static void encode_pair(const uint64_t *codes, const uint8_t *at, const uint8_t *end, Sink a, Sink b, uint8_t *ends[2]) {
  for (; end - at >= 14; at += 16) {
    for (int i = 0; i < 16; i += 4) put(&a, codes[at[i]]);
    flush(&a);
    for (int i = 1; i < 16; i += 4) put(&b, codes[at[i]]);
    flush(&b);
  }
  for (; at < end; at += 4) {
    put(&a, codes[at[0]]);
    flush(&a);
    if (end - at < 2) break;
    put(&b, codes[at[1]]);
    flush(&b);
  }
  ends[0] = a.to + (a.bits > 0);
  ends[1] = b.to + (b.bits > 0);
}

static void run_encode(Task *task) {
  uint32_t *lengths = (uint32_t *)task->out[0].bytes;
  Span symbols = task->in[1];
  const uint8_t *end = symbols.bytes + symbols.length;
  uint8_t *out = task->out[1].bytes;
  size_t room = (symbols.length / 4 + 1) * 12 / 8 + 8;
  uint8_t *ends[4];
  for (int s = 0; s < 4; s += 2) {
    Sink a = {0, 0, out + (size_t)s * room}, b = {0, 0, out + (size_t)(s + 1) * room};
    encode_pair(task->work, symbols.bytes + s, end, a, b, ends + s);
  }
  size_t total = 0;
  for (int s = 0; s < 4; s++) {
    lengths[s] = (uint32_t)(ends[s] - (out + (size_t)s * room));
    memmove(out + total, out + (size_t)s * room, lengths[s]);
    total += lengths[s];
  }
  task->out[1].length = total;
}

const Kernel huffman_kernels[] = {
  {"huffman-decode", prepare_decode, run_decode},
  {"huffman-encode", prepare_encode, run_encode},
  {NULL, NULL, NULL},
};
