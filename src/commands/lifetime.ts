// How long a command runs: it ends in order at the first signal, and at once at the second.

import { constants } from 'node:os';

const endSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
type EndSignal = (typeof endSignals)[number];

/**
 * Runs `work` with a signal that aborts when the process is first asked to end; asked again, the process ends at once
 * with the usual 128 + number of the signal.
 */
export async function untilAskedToEnd<T>(
  work: (signal: AbortSignal) => Promise<T>,
  signals: readonly EndSignal[] = endSignals,
): Promise<T> {
  const asked = new AbortController();
  const onSignal = (name: EndSignal) => {
    if (asked.signal.aborted) process.exit(128 + constants.signals[name]);
    asked.abort();
  };
  for (const name of signals) process.on(name, onSignal);
  try {
    return await work(asked.signal);
  } finally {
    for (const name of signals) process.off(name, onSignal);
  }
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

/** Writes one JSON object as a line to standard output. */
export function printJson(value: object): void {
  print(JSON.stringify(value));
}

/** Writes one line to standard output. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
