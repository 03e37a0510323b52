// Pure: the load and packet loss that a simulated origin reports, as a function of time and seed alone.

import { mix32 } from '../mix.js';

export interface Report {
  /** Fraction 0..1. */
  readonly load: number;
  /** Fraction 0..1. */
  readonly packetLoss: number;
}

/** How an origin with this seed is doing at `seconds`: load between 0.1 and 0.9, loss mostly none, at times up to 4 %. */
export function drift(seconds: number, seed: number): Report {
  const load = 0.1 + 0.8 * (0.75 * smoothNoise(seconds / 23, seed) + 0.25 * smoothNoise(seconds / 7, seed + 1));
  // Losses come in bouts: only the upper part of the walk counts.
  const bout = Math.max(0, smoothNoise(seconds / 31, seed + 2) - 0.6) / 0.4;
  return { load: round(load, 3), packetLoss: round(0.04 * bout ** 2, 4) };
}

const round = (value: number, digits: number) => Number(value.toFixed(digits));

/** Value noise: random values 0..1 at whole numbers, eased in between. */
function smoothNoise(x: number, seed: number): number {
  const cell = Math.floor(x);
  const t = x - cell;
  const eased = t * t * (3 - 2 * t);
  return lattice(cell, seed) * (1 - eased) + lattice(cell + 1, seed) * eased;
}

/** A random fraction for each pair of cell and seed. */
function lattice(cell: number, seed: number): number {
  return mix32(Math.imul(cell | 0, 0x9e3779b1) ^ Math.imul(seed | 0, 0x85ebca77)) / 2 ** 32;
}
