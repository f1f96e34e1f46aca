// Pruning and compaction in plain JavaScript. Every place is written and only those of survivors are kept: a branch on a weight would often be predicted wrongly.

/** Survivors of a block, in arrays that have room for all of its weights. */
export interface SurvivorRoom {
  readonly places: Uint32Array;
  readonly gaps: Uint32Array;
  readonly values: Uint32Array;
}

export function survivorRoom(count: number): SurvivorRoom {
  return { places: new Uint32Array(count + 1), gaps: new Uint32Array(count), values: new Uint32Array(count) };
}

/** Weights whose magnitude is above the threshold; NaN is not. Returns how many. */
export function pruneWeights(weights: Float32Array, bits: Uint32Array, threshold: number, room: SurvivorRoom): number {
  const { places } = room;
  const { length } = weights;
  let count = 0;
  for (let i = 0; i < length; i++) {
    places[count] = i;
    count += Math.abs(weights[i]) > threshold ? 1 : 0;
  }
  takeSurvivors(bits, count, room);
  return count;
}

/** Elements that have a bit set. Returns how many. */
export function compactElements(bits: Uint32Array, room: SurvivorRoom): number {
  const { places } = room;
  const { length } = bits;
  let count = 0;
  for (let i = 0; i < length; i++) {
    places[count] = i;
    count += bits[i] !== 0 ? 1 : 0;
  }
  takeSurvivors(bits, count, room);
  return count;
}

function takeSurvivors(bits: Uint32Array, count: number, { places, gaps, values }: SurvivorRoom): void {
  let next = 0;
  for (let i = 0; i < count; i++) {
    const place = places[i];
    gaps[i] = place - next;
    values[i] = bits[place];
    next = place + 1;
  }
}
