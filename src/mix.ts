// Pure: the mixer of hashes.

/** MurmurHash3's finaliser: every bit of a 32-bit number changes about half of the result's, which is an unsigned one. */
export function mix32(hash: number): number {
  let h = hash ^ (hash >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
