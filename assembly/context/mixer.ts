// One binary decision: predicted by mixing what several contexts know, coded by a range coder, learnt from. docs/format.md, section 4.7.
// The state is in memory, so that encoder and decoder share every line of it.

/** Stretched probabilities, i16[4096]. */
const STRETCH: usize = 0;
/** How far a probability moves after n decisions, u16[256]. */
const RATES: usize = STRETCH + 4096 * 2;
/** Of the inputs of a decision: addresses of their slots, and their stretched probabilities, 8 each. */
const SLOTS: usize = RATES + 256 * 2;
const STRETCHED: usize = SLOTS + 8 * 4;
/** The range coder: low, high, and the code value (decoder); u32 each. Then the next byte's address and the end of the input. */
const LOW: usize = STRETCHED + 8 * 4;
const HIGH: usize = LOW + 4;
const VALUE: usize = LOW + 8;
const NEXT: usize = LOW + 12;
const END: usize = LOW + 16;
/** Bytes of the state. */
export const MIXER_BYTES: usize = LOW + 32;

/** An unused slot: probability one half, no decisions. */
const FRESH: u32 = 0x8000 << 16;

/** squash at -16 … 16 times 128, of which the upper half is 65536 less the lower. */
function knot(i: i32): i32 {
  const lower = memory.data<u16>([22, 36, 60, 98, 162, 267, 439, 720, 1179, 1921, 3108, 4971, 7812, 11955, 17625, 24743, 32768]);
  return i <= 16 ? <i32>load<u16>(lower + ((<usize>i) << 1)) : 65536 - <i32>load<u16>(lower + ((<usize>(32 - i)) << 1));
}

/** The probability of a stretched one, in 65536ths: between knots a line. */
function squash(x: i32): i32 {
  const stretched = max(-2047, min(2047, x));
  const part = stretched & 127;
  const i = (stretched >> 7) + 16;
  return (knot(i) * (128 - part) + knot(i + 1) * part + 64) >> 7;
}

/** Makes the state ready; `input` to `end` is what is decoded, or `input` where the encoder's bytes go. */
export function startMixer(state: usize, input: usize, end: usize, encode: bool): void {
  let from: i32 = 0;
  for (let x = -2047; x <= 2047; x++) {
    const upTo = squash(x) >> 4;
    for (; from <= upTo; from++) store<i16>(state + STRETCH + ((<usize>from) << 1), x);
  }
  for (; from < 4096; from++) store<i16>(state + STRETCH + ((<usize>from) << 1), 2047);
  for (let n = 0; n < 256; n++) store<u16>(state + RATES + ((<usize>n) << 1), 163840 / (5 * n + 9));
  store<u32>(state + LOW, 0);
  store<u32>(state + HIGH, 0xffffffff);
  store<u32>(state + VALUE, 0);
  store<u32>(state + NEXT, <u32>input);
  store<u32>(state + END, <u32>end);
  if (!encode) for (let i = 0; i < 4; i++) store<u32>(state + VALUE, (load<u32>(state + VALUE) << 8) | nextByte(state));
}

/** The next byte of the input; zeros follow its end. */
function nextByte(state: usize): u32 {
  const next = <usize>load<u32>(state + NEXT);
  store<u32>(state + NEXT, <u32>next + 1);
  return next < <usize>load<u32>(state + END) ? load<u8>(next) : 0;
}

/** Slots of contexts that know nothing yet. */
export function freshSlots(slots: usize, count: usize): void {
  for (let at = slots; at < slots + (count << 2); at += 4) store<u32>(at, FRESH);
}

/** Names the slot of input `i` for the next decision. */
export function useSlot(state: usize, i: usize, slot: usize): void {
  store<u32>(state + SLOTS + (i << 2), <u32>slot);
}

/**
 * Codes a decision with the slots that were named: `bit` by the encoder; the decoder gives it back.
 *
 * weights i32[inputs], in 65536ths, are changed. A slot has its probability of a one in the upper 16 bits, and how many decisions it saw, up to `limit`, in the lower.
 */
export function decide(state: usize, inputs: usize, weights: usize, speed: i32, limit: u32, encode: bool, bit: u32): u32 {
  let sum: i64 = 0;
  for (let i: usize = 0; i < inputs; i++) {
    const slot = <usize>load<u32>(state + SLOTS + (i << 2));
    const stretched = <i32>load<i16>(state + STRETCH + ((<usize>(load<u32>(slot) >> 20)) << 1));
    store<i32>(state + STRETCHED + (i << 2), stretched);
    sum += <i64>stretched * <i64>load<i32>(weights + (i << 2));
  }
  const mixed = sum >> 16;
  const probability = squash(<i32>(mixed > 2047 ? 2047 : mixed < -2047 ? -2047 : mixed));

  let low = load<u32>(state + LOW);
  let high = load<u32>(state + HIGH);
  const range = high - low;
  const middle = low + (range >> 16) * <u32>probability + (((range & 0xffff) * <u32>probability) >> 16);
  const one = encode ? bit : u32(load<u32>(state + VALUE) <= middle);
  if (one != 0) high = middle;
  else low = middle + 1;
  while ((low ^ high) >> 24 == 0) {
    if (encode) {
      const next = <usize>load<u32>(state + NEXT);
      store<u8>(next, high >> 24);
      store<u32>(state + NEXT, <u32>next + 1);
    } else {
      store<u32>(state + VALUE, (load<u32>(state + VALUE) << 8) | nextByte(state));
    }
    low <<= 8;
    high = (high << 8) | 255;
  }
  store<u32>(state + LOW, low);
  store<u32>(state + HIGH, high);

  const target: i32 = one != 0 ? 65535 : 0;
  const error = (target - probability) * speed;
  for (let i: usize = 0; i < inputs; i++) {
    const weight = weights + (i << 2);
    store<i32>(weight, load<i32>(weight) + ((load<i32>(state + STRETCHED + (i << 2)) * error + 0x20000) >> 18));
    const slot = <usize>load<u32>(state + SLOTS + (i << 2));
    const held = load<u32>(slot);
    const count = held & 0xffff;
    const old = <i32>(held >> 16);
    const learnt = old + (((target - old) * <i32>load<u16>(state + RATES + ((<usize>count) << 1))) >> 15);
    store<u32>(slot, ((<u32>learnt) << 16) | (count < limit ? count + 1 : count));
  }
  return one;
}

/** The shortest value between low and high: as many bytes as it needs, from the highest, the others zero. */
function lastValue(low: u32, bytes: u32): u64 {
  const rest: u64 = bytes == 0 ? 0xffffffff : ((<u64>1) << (32 - 8 * bytes)) - 1;
  return (<u64>low + rest) & ~rest;
}

/** Ends the stream: gives the encoder's end, or the decoder's, 0 where the stream does not end as the encoder would have ended it. */
export function endMixer(state: usize, encode: bool): usize {
  const low = load<u32>(state + LOW);
  let bytes: u32 = 0;
  while (lastValue(low, bytes) > <u64>load<u32>(state + HIGH)) bytes++;
  const value = <u32>lastValue(low, bytes);
  const next = <usize>load<u32>(state + NEXT);
  if (!encode)
    return load<u32>(state + VALUE) == value && next + bytes == <usize>load<u32>(state + END) + 4 ? <usize>load<u32>(state + END) : 0;
  for (let i: u32 = 0; i < bytes; i++) store<u8>(next + i, value >> (24 - 8 * i));
  return next + bytes;
}
