// Pruning and compaction in plain JavaScript. Every place is written and only those of survivors are kept: a branch on a weight would often be predicted wrongly. Weights are
// compared by their bits, as integers.

/** Magnitude bits of infinity: those above are NaN. */
const INFINITE = 0x7f800000;

/** Survivors of a block, in arrays that have room for all of its weights. */
export interface SurvivorRoom {
  readonly places: Int32Array;
  readonly gaps: Int32Array;
  readonly values: Int32Array;
}

export function survivorRoom(count: number): SurvivorRoom {
  return { places: new Int32Array(count + 4), gaps: new Int32Array(count), values: new Int32Array(count) };
}

/** 1 for magnitude bits above the threshold's, 0 for others and for NaN. */
function stays(magnitude: number, threshold: number): number {
  return ((threshold - magnitude) & (magnitude - INFINITE - 1)) >>> 31;
}

/** Weights whose magnitude is above the threshold, whose bits are given too; NaN is not. Returns how many. */
export function pruneWeights(bits: Int32Array, thresholdBits: number, room: SurvivorRoom): number {
  const { places } = room;
  const { length } = bits;
  const body = length & ~3;
  let count = 0;
  for (let i = 0; i < body; i += 4) {
    const a = bits[i] & 0x7fffffff;
    const b = bits[i + 1] & 0x7fffffff;
    const c = bits[i + 2] & 0x7fffffff;
    const d = bits[i + 3] & 0x7fffffff;
    places[count] = i;
    count = (count + stays(a, thresholdBits)) | 0;
    places[count] = i + 1;
    count = (count + stays(b, thresholdBits)) | 0;
    places[count] = i + 2;
    count = (count + stays(c, thresholdBits)) | 0;
    places[count] = i + 3;
    count = (count + stays(d, thresholdBits)) | 0;
  }
  for (let i = body; i < length; i++) {
    places[count] = i;
    count += stays(bits[i] & 0x7fffffff, thresholdBits);
  }
  takeSurvivors(bits, count, room);
  return count;
}

/** 1 where a bit is set. */
function isSet(word: number): number {
  return (word | -word) >>> 31;
}

/** Elements that have a bit set. Returns how many. */
export function compactElements(bits: Int32Array, room: SurvivorRoom): number {
  const { places } = room;
  const { length } = bits;
  const body = length & ~3;
  let count = 0;
  for (let i = 0; i < body; i += 4) {
    places[count] = i;
    count = (count + isSet(bits[i])) | 0;
    places[count] = i + 1;
    count = (count + isSet(bits[i + 1])) | 0;
    places[count] = i + 2;
    count = (count + isSet(bits[i + 2])) | 0;
    places[count] = i + 3;
    count = (count + isSet(bits[i + 3])) | 0;
  }
  for (let i = body; i < length; i++) {
    places[count] = i;
    count += isSet(bits[i]);
  }
  takeSurvivors(bits, count, room);
  return count;
}

function takeSurvivors(bits: Int32Array, count: number, { places, gaps, values }: SurvivorRoom): void {
  let next = 0;
  for (let i = 0; i < count; i++) {
    const place = places[i];
    gaps[i] = place - next;
    values[i] = bits[place];
    next = (place + 1) | 0;
  }
}
