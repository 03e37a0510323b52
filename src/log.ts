// The pino root. Everything logs through a child of it; nothing secret and nothing a chunk goes in.

import { type Logger, pino, stdTimeFunctions } from 'pino';
import pretty from 'pino-pretty';
import type { Config } from './config-schema.js';

export type { Logger } from 'pino';

/** Writes a line each to standard error: JSON with the name of the level and the time as ISO 8601, or readable on a terminal. */
export function createLogger(settings: Config['log']): Logger {
  const readable = settings.format === 'pretty' || (settings.format === 'auto' && process.stderr.isTTY);
  const options = {
    level: settings.level,
    base: null,
    formatters: { level: (label: string) => ({ level: label }) },
    timestamp: stdTimeFunctions.isoTime,
  };
  if (!readable) return pino(options, pino.destination({ dest: 2, sync: false, minLength: 0 }));
  return pino(options, pretty({ destination: 2, translateTime: 'SYS:HH:MM:ss.l', singleLine: true, sync: true }));
}

/** For tests and tools that want no output. */
export const silentLogger: Logger = pino({ level: 'silent' });

/**
 * For what may happen a thousand times a second: writes once in `interval` ms at most, and tells how often it happened
 * unsaid since the time before.
 */
export function seldom<Fields extends object>(
  write: (fields: Fields & { readonly unsaid: number }) => void,
  interval = 1_000,
  now: () => number = () => performance.now(),
): (fields: Fields) => void {
  let saidAt = Number.NEGATIVE_INFINITY;
  let unsaid = 0;
  return (fields) => {
    if (now() - saidAt < interval) {
      unsaid += 1;
      return;
    }
    saidAt = now();
    write({ ...fields, unsaid });
    unsaid = 0;
  };
}
