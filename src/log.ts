// The pino root. Everything logs through a child of it. No secret is logged, and nothing is logged per chunk.

import { type Logger, pino, stdTimeFunctions } from 'pino';
import pretty from 'pino-pretty';
import type { Config } from './config-schema.js';

export type { Logger } from 'pino';

/** Tokens are in queries, of players and of addresses that origins register. */
function withoutQueries(value: unknown): unknown {
  return typeof value === 'string' ? value.replace(/\?[^\s"']+/g, '?…') : value;
}

/** Causes of causes that are logged. */
const maxCauses = 4;

/** Not the properties that some errors carry besides: the URL that could not be parsed, for one. */
function plainError(error: unknown, causes = maxCauses): unknown {
  if (!(error instanceof Error)) return withoutQueries(error);
  const { name, message, stack, cause } = error;
  const { code } = error as NodeJS.ErrnoException;
  return {
    type: name,
    code,
    message: withoutQueries(message),
    stack: withoutQueries(stack),
    cause: cause === undefined || causes === 0 ? undefined : plainError(cause, causes - 1),
  };
}

/** The name of the level and the time as ISO 8601, no process id; nothing of a query where one may stand. */
export const loggerOptions = {
  base: null,
  formatters: { level: (label: string) => ({ level: label }) },
  timestamp: stdTimeFunctions.isoTime,
  serializers: {
    err: (error: unknown) => plainError(error),
    ...Object.fromEntries(['error', 'detail', 'endpoint', 'from', 'to'].map((field) => [field, withoutQueries])),
  },
};

/** Writes lines to standard error: JSON, or readable text on a terminal. */
export function createLogger(settings: Config['log']): Logger {
  const readable = settings.format === 'pretty' || (settings.format === 'auto' && process.stderr.isTTY);
  const options = { ...loggerOptions, level: settings.level };
  if (!readable) return pino(options, pino.destination({ dest: 2, sync: false, minLength: 0 }));
  return pino(options, pretty({ destination: 2, translateTime: 'SYS:HH:MM:ss.l', singleLine: true, sync: true }));
}

/** For tests and tools that want no output. */
export const silentLogger: Logger = pino({ level: 'silent' });

/**
 * For events that may happen a thousand times a second: writes once in `intervalMs` at most, with the number of events that
 * were not written since the last time.
 */
export function seldom<Fields extends object>(
  write: (fields: Fields & { readonly unsaid: number }) => void,
  intervalMs = 1_000,
  now: () => number = () => performance.now(),
): (fields: Fields) => void {
  let saidAt = Number.NEGATIVE_INFINITY;
  let unsaid = 0;
  return (fields) => {
    if (now() - saidAt < intervalMs) {
      unsaid += 1;
      return;
    }
    saidAt = now();
    write({ ...fields, unsaid });
    unsaid = 0;
  };
}
