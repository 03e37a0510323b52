// Loads that change by themselves: what a server's other work does to its reports. Each is a function of time, drawn once.

import { exponential, gaussian } from './random.js';

/** Load 0..1 at `seconds`, asked in the order of time. */
export type Walk = (seconds: number) => number;

export const walkKinds = ['walk', 'step', 'wave', 'sawtooth', 'bursts'] as const;
export type WalkKind = (typeof walkKinds)[number];

const makers: Record<WalkKind, (random: () => number) => Walk> = { walk, step, wave, sawtooth, bursts };

export function drawWalk(kind: WalkKind, random: () => number): Walk {
  return makers[kind](random);
}

const between = (random: () => number, low: number, high: number) => low + (high - low) * random();

/** Up or down by up to 0.02 to 0.06 a second, thrown back at the ends; now and then a step. */
function walk(random: () => number): Walk {
  const stride = between(random, 0.02, 0.06);
  let load = between(random, 0.1, 0.9);
  let at = 0;
  return (seconds) => {
    for (; at < seconds; at += 1) {
      load += stride * (2 * random() - 1);
      if (random() < 1 / 300) load += 0.3 * gaussian(random);
      if (load < 0.05) load = Math.min(0.95, 0.1 - load);
      if (load > 0.95) load = Math.max(0.05, 1.9 - load);
    }
    return load;
  };
}

/** A level for 10 to 300 s, then another one. */
function step(random: () => number): Walk {
  const mean = between(random, 10, 300);
  let load = between(random, 0.05, 0.95);
  let until = exponential(random, mean);
  return (seconds) => {
    while (until < seconds) {
      load = between(random, 0.05, 0.95);
      until += exponential(random, mean);
    }
    return load;
  };
}

function wave(random: () => number): Walk {
  const period = 20 * 90 ** random();
  const height = between(random, 0.1, 0.4);
  const middle = between(random, 0.05 + height, 0.95 - height);
  const phase = 2 * Math.PI * random();
  return (seconds) => middle + height * Math.sin((2 * Math.PI * seconds) / period + phase);
}

function sawtooth(random: () => number): Walk {
  const period = 20 * 45 ** random();
  const height = between(random, 0.2, 0.8);
  const low = between(random, 0.05, 0.95 - height);
  const phase = random();
  const falls = random() < 0.3;
  return (seconds) => {
    const part = (seconds / period + phase) % 1;
    return low + height * (falls ? 1 - part : part);
  };
}

/** A base, and for 2 to 60 s at a time a crowd of others on top. */
function bursts(random: () => number): Walk {
  const base = between(random, 0.05, 0.5);
  const height = between(random, 0.2, 0.45);
  const length = between(random, 2, 60);
  const pause = between(random, 10, 200);
  let on = false;
  let until = exponential(random, pause);
  return (seconds) => {
    while (until < seconds) {
      on = !on;
      until += exponential(random, on ? length : pause);
    }
    return base + (on ? height : 0);
  };
}
