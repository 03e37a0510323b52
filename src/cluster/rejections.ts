// A promise that rejects with nobody to hear it is a mistake of weir's own. It costs what waited for it, not the process and
// all its players. An exception that nobody caught still ends the process: what it left half done is unknown.

import { type Logger, seldom } from '../log.js';
import type { Metrics } from '../metrics.js';

/** Logs and counts them until the returned function is called. A player may cause many: they are logged once a second. */
export function surviveRejections(logger: Logger, metrics: Pick<Metrics, 'unhandledRejections'>): () => void {
  const say = seldom((fields: { readonly err: unknown }) => logger.error(fields, 'a failure that nobody handled'));
  const onRejection = (reason: unknown) => {
    metrics.unhandledRejections.inc();
    say({ err: reason });
  };
  process.on('unhandledRejection', onRejection);
  return () => process.off('unhandledRejection', onRejection);
}
