// The pino root. Everything logs through a child of it; nothing secret and nothing a chunk goes in.

import { type Logger, pino } from 'pino';
import pretty from 'pino-pretty';
import type { Config } from './config-schema.js';

export type { Logger } from 'pino';

/** Writes JSON lines to standard error, or readable ones when that is a terminal. */
export function createLogger(settings: Config['log']): Logger {
  const readable = settings.format === 'pretty' || (settings.format === 'auto' && process.stderr.isTTY);
  const options = { level: settings.level, base: null };
  if (!readable) return pino(options, pino.destination({ dest: 2, sync: false, minLength: 0 }));
  return pino(options, pretty({ destination: 2, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss.l', sync: true }));
}

/** For tests and tools that want no output. */
export const silentLogger: Logger = pino({ level: 'silent' });
