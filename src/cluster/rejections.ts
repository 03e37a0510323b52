// A promise that rejects with nobody to hear it is a mistake of weir's own. It costs what waited for it, not the process and
// all its players.

import type { Logger } from '../log.js';
import type { Metrics } from '../metrics.js';

/** Logs and counts them until the returned function is called. */
export function surviveRejections(logger: Logger, metrics: Pick<Metrics, 'unhandledRejections'>): () => void {
  const onRejection = (reason: unknown) => {
    metrics.unhandledRejections.inc();
    logger.error({ err: reason }, 'a failure that nobody handled');
  };
  process.on('unhandledRejection', onRejection);
  return () => process.off('unhandledRejection', onRejection);
}
