// The time between the wish to end and the end of accepting: whoever sends players here hears first that they should go
// elsewhere.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config-schema.js';
import type { Logger } from '../log.js';

/** `shutdown.delay`: begun once, passed or cut short. */
export class ShutdownDelay {
  readonly #cut = new AbortController();
  #begun = false;

  /** True once the edge is to end. */
  get begun(): boolean {
    return this.#begun;
  }

  /** Resolves when no more players are to be accepted. */
  async pass({ delay, grace }: Config['shutdown'], logger: Logger): Promise<void> {
    this.#begun = true;
    logger.info({ delayMs: delay, graceMs: grace }, 'shutting down');
    if (delay > 0) await sleep(delay, undefined, { signal: this.#cut.signal }).catch(() => undefined);
    logger.info('no new players');
  }

  /** It has passed. */
  cut(): void {
    this.#cut.abort();
  }
}
