// The load of this machine or one of its processes, from counters that only grow.

import { readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';

/** A counter: what was used, and what could have been used, since some moment. */
export interface Count {
  readonly used: number;
  readonly possible: number;
}

/** The used share since the last look, smoothed; undefined before the second look. */
export class Share {
  #last: Count | undefined;
  #smoothed: number | undefined;
  readonly #count: () => Count | undefined;

  constructor(count: () => Count | undefined) {
    this.#count = count;
  }

  look(): number | undefined {
    const now = this.#count();
    const last = this.#last;
    this.#last = now;
    if (now === undefined) this.#smoothed = undefined;
    if (now === undefined || last === undefined || now.possible <= last.possible) return this.#smoothed;
    // A counter that began again says nothing this time.
    if (now.used < last.used) return this.#smoothed;
    const share = Math.min(1, (now.used - last.used) / (now.possible - last.possible));
    // Smoothed over three looks: a peak of less than a few seconds is no load.
    this.#smoothed = this.#smoothed === undefined ? share : this.#smoothed + (share - this.#smoothed) / 3;
    return this.#smoothed;
  }
}

/** All processors of the machine. */
export function machineCpu(): Count {
  let [used, possible] = [0, 0];
  for (const { times } of cpus()) {
    const all = times.user + times.nice + times.sys + times.idle + times.irq;
    possible += all;
    used += all - times.idle;
  }
  return { used, possible };
}

/** Linux counts processor time in hundredths of a second. */
const ticksPerSecond = 100;

/** One process on all processors, by the file with its id; undefined while there is no such process. */
export function processCpu(pidFile: string, now: () => number = () => performance.now()): Count | undefined {
  try {
    const pid = /^\d{1,10}/.exec(readFileSync(pidFile, 'utf8').trim())?.[0];
    if (pid === undefined) return undefined;
    return { used: ticksOf(readFileSync(`/proc/${pid}/stat`, 'utf8')), possible: ticks(now()) };
  } catch {
    return undefined;
  }
}

const ticks = (at: number) => (at / 1000) * ticksPerSecond * availableParallelism();

/** User and system time from /proc/PID/stat (proc(5)). The process name in it may hold anything, even spaces and brackets. */
export function ticksOf(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
}

/** The network in the direction that carries more, against `capacityBitsPerSecond`; undefined where the system does not tell. */
export function networkCount(
  capacityBitsPerSecond: number,
  device: string | undefined,
  now: () => number = () => performance.now(),
): Count | undefined {
  try {
    const bytes = bytesOf(readFileSync('/proc/net/dev', 'utf8'), device);
    return bytes === undefined ? undefined : { used: bytes, possible: ((now() / 1000) * capacityBitsPerSecond) / 8 };
  } catch {
    return undefined;
  }
}

/** Bytes out of /proc/net/dev (proc(5)), of one device or of all but the loopback: received or sent, what is more. */
export function bytesOf(text: string, device?: string): number | undefined {
  let [received, sent, found] = [0, 0, false];
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).trim();
    if (colon < 0 || (device === undefined ? name === 'lo' : name !== device)) continue;
    const numbers = line
      .slice(colon + 1)
      .trim()
      .split(/ +/)
      .map(Number);
    received += numbers[0] ?? 0;
    sent += numbers[8] ?? 0;
    found = true;
  }
  return found ? Math.max(received, sent) : undefined;
}
