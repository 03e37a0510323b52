// Numbers that repeat for a seed.

/** Mulberry32: uniform in [0, 1). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const exponential = (random: () => number, mean: number): number => -Math.log(1 - random()) * mean;

/** Standard normal (Box-Muller). */
export function gaussian(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** An index with a chance proportional to its part of the cumulated weights. */
export function drawIndex(random: () => number, cumulated: readonly number[]): number {
  const x = random() * (cumulated.at(-1) ?? 0);
  let low = 0;
  let high = cumulated.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((cumulated[middle] ?? 0) < x) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Cumulated weights 1, 1/2^skew, 1/3^skew …; a skew of 0 is uniform. */
export function zipf(count: number, skew: number): number[] {
  let sum = 0;
  return Array.from({ length: count }, (_, i) => {
    sum += 1 / (i + 1) ** skew;
    return sum;
  });
}
