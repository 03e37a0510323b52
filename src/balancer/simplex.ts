// Shares from scores: proportional to a weight, tilted towards lower scores, none below zero.

/**
 * Fills `shares[0..count)` with weight × max(0, 1 + θ − score), θ being the level at which they sum to 1.
 * Where scores differ by little the shares follow the weights; where they differ by much all goes to the lowest. An entry
 * that scores too high gets exactly nothing. It is the projection onto the simplex in the metric of the weights. The loop
 * drops entries above the level until none is dropped: two or three rounds as a rule.
 * Source: C. Michelot, A Finite Algorithm for Finding the Projection of a Point onto the Canonical Simplex, 1986.
 * @param weights sum to 1; an entry of 0 gets no share
 */
export function project(weights: Float64Array, scores: Float64Array, count: number, shares: Float64Array): void {
  let level = Number.POSITIVE_INFINITY;
  for (let round = 0; round < count; round += 1) {
    let weight = 0;
    let score = 0;
    for (let i = 0; i < count; i += 1) {
      const own = scores[i] ?? 0;
      if (own >= level) continue;
      const w = weights[i] ?? 0;
      weight += w;
      score += w * own;
    }
    const next = weight > 0 ? (1 + score) / weight : level;
    if (next >= level) break;
    level = next;
  }
  for (let i = 0; i < count; i += 1) {
    const below = level - (scores[i] ?? 0);
    shares[i] = below > 0 ? (weights[i] ?? 0) * below : 0;
  }
}
