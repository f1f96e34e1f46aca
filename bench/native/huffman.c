/* Huffman coding in four streams, the algorithm of assembly/huffman. */
#include "bench.h"

/* in: u8 lengths[], u32 stream lengths[4], the streams and 64 bytes more. numbers: symbols. out: u8 symbols[]. */
typedef struct {
  unsigned table_log;
  uint8_t code_lengths[1 << 12];
  uint8_t symbols[1 << 12];
  /* Codes from short to long: symbol << 24 | length << 16 | code. */
  uint32_t codes[256];
  size_t code_count;
  /* What `decode_runs4` works with. */
  uint32_t entries[1 << 12];
  uint32_t rests[1 << 12];
  uint8_t *runs;
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
  decode->runs = take((size_t)task->numbers[0] + 64);
  Span lengths = task->in[0];
  uint32_t next[16];
  first_codes(lengths, next);
  for (size_t symbol = 0; symbol < lengths.length; symbol++) {
    if (lengths.bytes[symbol] > decode->table_log) decode->table_log = lengths.bytes[symbol];
  }
  for (unsigned length = 1; length <= 12; length++) {
    uint32_t code = next[length];
    for (size_t symbol = 0; symbol < lengths.length; symbol++) {
      if (lengths.bytes[symbol] == length) decode->codes[decode->code_count++] = (uint32_t)symbol << 24 | length << 16 | reverse(code++, length);
    }
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

/* Not inlined: with both ways of decoding in one function clang has fewer registers for each, and this one takes 1.2 times as long. */
static __attribute__((noinline)) void decode4(const Decode *decode, Stream stream[4], uint8_t *out, size_t count) {
  uint64_t mask = (1u << decode->table_log) - 1;
  size_t o = 0;
  if (decode->table_log <= 9) o = decode_rounds(decode, stream, out, o, count - count % 24, 6);
  o = decode_rounds(decode, stream, out, o, count - (count - o) % 16, 4);
  for (; o < count; o++) {
    out[o] = next_symbol(decode, mask, &stream[o & 3]);
    refill(&stream[o & 3]);
  }
}

/* Up to three symbols a look-up of 12 bits: the first in an entry's highest byte, then the others; in the lowest byte their bits, and from bit 6 how many they are. */
enum { LOOK_BITS = 12, MOST = 3 };

static void take_rests(Decode *decode, unsigned left) {
  uint32_t mask = (1u << decode->table_log) - 1;
  uint32_t *rests = decode->rests + ((size_t)1 << left);
  for (uint32_t index = 0; index < 1u << left; index++) {
    uint32_t second = index & mask;
    unsigned bits = decode->code_lengths[second];
    uint32_t third = (index >> bits) & mask;
    unsigned both = bits + decode->code_lengths[third];
    uint32_t entry = bits <= left ? (64 + bits) | (uint32_t)decode->symbols[second] << 16 : 0;
    rests[index] = entry + (both <= left ? (64 + both - bits) | (uint32_t)decode->symbols[third] << 8 : 0);
  }
}

static void take_entries(Decode *decode) {
  unsigned look = decode->table_log * MOST < LOOK_BITS ? decode->table_log * MOST : LOOK_BITS;
  unsigned shortest = (decode->codes[0] >> 16) & 255;
  for (unsigned left = 0; left <= look - shortest; left++) take_rests(decode, left);
  for (size_t i = 0; i < decode->code_count; i++) {
    uint32_t code = decode->codes[i];
    unsigned length = (code >> 16) & 255;
    uint32_t first = (code & 0xff000000) | (64 + length);
    const uint32_t *rest = decode->rests + ((size_t)1 << (look - length));
    for (size_t to = code & 0xffff; to < (size_t)1 << look; to += (size_t)1 << length) decode->entries[to] = first + *rest++;
  }
  for (size_t to = (size_t)1 << look; to < (size_t)1 << LOOK_BITS; to += to) memcpy(decode->entries + to, decode->entries, to * sizeof *decode->entries);
}

/* A stream and the run that it becomes, downwards: what is below an entry's symbols is written over by the next. */
typedef struct {
  Stream stream;
  uint8_t *to;
} Run;

static inline void look_up(const Decode *decode, Run *run) {
  uint32_t entry = decode->entries[run->stream.window & ((1u << LOOK_BITS) - 1)];
  memcpy(run->to - 4, &entry, sizeof entry);
  run->stream.window >>= entry & 63;
  run->to -= (entry >> 6) & 3;
}

static void finish_run(const Decode *decode, Run run, const uint8_t *end) {
  uint64_t mask = (1u << decode->table_log) - 1;
  while (run.to - end >= 4 * MOST) {
    for (int round = 0; round < 4; round++) look_up(decode, &run);
    refill(&run.stream);
  }
  while (run.to > end) {
    *--run.to = next_symbol(decode, mask, &run.stream);
    refill(&run.stream);
  }
}

static void deal_out(const uint8_t *const top[4], size_t count, uint8_t *restrict out) {
  const uint8_t *a = top[0] - 1, *b = top[1] - 1, *c = top[2] - 1, *d = top[3] - 1;
  ptrdiff_t body = (ptrdiff_t)(count / 4);
  for (ptrdiff_t i = 0; i < body; i++) {
    out[4 * i] = a[-i];
    out[4 * i + 1] = b[-i];
    out[4 * i + 2] = c[-i];
    out[4 * i + 3] = d[-i];
  }
  for (size_t i = count / 4 * 4; i < count; i++) out[i] = top[i % 4][-1 - (ptrdiff_t)(i / 4)];
}

static __attribute__((noinline)) void decode_runs4(Decode *decode, const Stream stream[4], uint8_t *out, size_t count) {
  take_entries(decode);
  size_t pitch = count / 4 + 16;
  uint8_t *top[4], *end[4];
  for (size_t s = 0; s < 4; s++) {
    top[s] = decode->runs + (s + 1) * pitch;
    end[s] = top[s] - (count + 3 - s) / 4;
  }
  Run a = {stream[0], top[0]}, b = {stream[1], top[1]}, c = {stream[2], top[2]}, d = {stream[3], top[3]};
  while (a.to - end[0] >= 4 * MOST && b.to - end[1] >= 4 * MOST && c.to - end[2] >= 4 * MOST && d.to - end[3] >= 4 * MOST) {
    for (int round = 0; round < 4; round++) {
      look_up(decode, &a);
      look_up(decode, &b);
      look_up(decode, &c);
      look_up(decode, &d);
    }
    refill(&a.stream);
    refill(&b.stream);
    refill(&c.stream);
    refill(&d.stream);
  }
  finish_run(decode, a, end[0]);
  finish_run(decode, b, end[1]);
  finish_run(decode, c, end[2]);
  finish_run(decode, d, end[3]);
  deal_out((const uint8_t *const *)top, count, out);
}

static void run_decode(Task *task) {
  Decode *decode = task->work;
  const uint32_t *lengths = (const uint32_t *)task->in[1].bytes;
  Stream stream[4];
  const uint8_t *at = task->in[2].bytes;
  for (int i = 0; i < 4; i++) {
    stream[i] = (Stream){at, window_at(at, 0)};
    at += lengths[i];
  }
  /* As the kernel decides it. */
  size_t count = task->out[0].length;
  if (count >= 1 << 15 && (size_t)(at - task->in[2].bytes) <= 3 * (count / 4)) decode_runs4(decode, stream, task->out[0].bytes, count);
  else decode4(decode, stream, task->out[0].bytes, count);
}

/* in: u8 lengths[], u8 symbols[]. out: u32 stream lengths[4], the streams. */
enum { PAIRED = 64 };

typedef struct {
  uint64_t codes[256];
  size_t alphabet;
  /* The codes of two symbols one after another, by the second and the first. */
  uint64_t pairs[PAIRED * PAIRED];
} Encode;

static void prepare_encode(Task *task) {
  Encode *encode = take(sizeof *encode);
  uint64_t *codes = encode->codes;
  Span lengths = task->in[0];
  uint32_t next[16];
  first_codes(lengths, next);
  for (size_t symbol = 0; symbol < lengths.length; symbol++) {
    unsigned length = lengths.bytes[symbol];
    if (length == 0) continue;
    codes[symbol] = (uint64_t)reverse(next[length]++, length) << (64 - length) | length;
    encode->alphabet = symbol + 1;
  }
  task->work = encode;
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

static void take_pairs(Encode *encode) {
  for (size_t second = 0; second < encode->alphabet; second++) {
    uint64_t code = encode->codes[second];
    for (size_t first = 0; first < encode->alphabet; first++) {
      uint64_t before = encode->codes[first], length = before & 255;
      encode->pairs[second * PAIRED + first] = ((before ^ length) >> (code & 63)) + code + length;
    }
  }
}

static inline uint64_t pair_of(const Encode *encode, const uint8_t *at) { return encode->pairs[at[0] + at[4] * (size_t)PAIRED]; }

/* Two streams out of four, as the kernel does: more of them do not stay in registers there. Where each stream ends goes to `ends`. */
static void encode_pair(const Encode *encode, int by_pairs, const uint8_t *at, const uint8_t *end, Sink a, Sink b, uint8_t *ends[2]) {
  const uint64_t *codes = encode->codes;
  for (; by_pairs && end - at >= 14; at += 16) {
    put(&a, pair_of(encode, at));
    put(&a, pair_of(encode, at + 8));
    flush(&a);
    put(&b, pair_of(encode, at + 1));
    put(&b, pair_of(encode, at + 9));
    flush(&b);
  }
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
  /* As the kernel decides it. */
  Encode *encode = task->work;
  int by_pairs = encode->alphabet <= PAIRED && symbols.length >= 8 * encode->alphabet * encode->alphabet;
  if (by_pairs) take_pairs(encode);
  for (int s = 0; s < 4; s += 2) {
    Sink a = {0, 0, out + (size_t)s * room}, b = {0, 0, out + (size_t)(s + 1) * room};
    encode_pair(encode, by_pairs, symbols.bytes + s, end, a, b, ends + s);
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
