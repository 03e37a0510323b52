// Looks at the workers at every heartbeat. It kills those that stand still, and has those replaced that have grown too large
// or whose settings were rolled back.

import type { Logger } from '../log.js';
import { workerHeartbeatMs } from './messages.js';
import { type RenewalCause, Renewals } from './renewals.js';
import { type Slot, wordsOf } from './slot.js';
import { judge, replacements, type WatchSettings } from './watch.js';
import type { WorkerProcess } from './worker-process.js';

/** A worker and a slot, as far as they are watched. */
export type WatchedWorker = Pick<WorkerProcess, 'slot' | 'pid' | 'state' | 'ageMs' | 'residentBytes' | 'tick' | 'kill'>;
export interface WatchedSlot extends Pick<Slot, 'index' | 'replace'> {
  readonly current: WatchedWorker | undefined;
}

export interface Watched<W extends WatchedWorker = WorkerProcess> {
  /** Those whose workers may be replaced now. */
  readonly slots: readonly WatchedSlot[];
  /** Those that start or drain, too. */
  readonly workers: Iterable<W>;
  readonly settings: WatchSettings;
  /** Whether it runs with settings that are not in effect. */
  readonly isOutdated: (worker: W) => boolean;
}

/** The watch over workers. Keeps no state of its own but what `Renewals` keeps. */
export class Watchdog {
  readonly #logger: Logger;
  readonly #renewals: Renewals;

  /** @param now monotonic ms */
  constructor(logger: Logger, now: () => number, random: () => number) {
    this.#logger = logger;
    this.#renewals = new Renewals(now, random);
  }

  /** Called at every heartbeat interval. */
  look<W extends WatchedWorker>({ slots, workers, settings, isOutdated }: Watched<W>): void {
    // A shorter time would pass between two heartbeats of a healthy worker.
    const stuckAfter = Math.max(settings.stuckAfter, 2 * workerHeartbeatMs);
    for (const worker of workers) {
      if (worker.state !== 'serving' && worker.state !== 'draining') continue;
      const silentForMs = worker.tick() * workerHeartbeatMs;
      const { slot: index, pid, residentBytes } = worker;
      const verdict = judge({ silentForMs, residentBytes }, { ...settings, stuckAfter });
      const slot = slots.find(({ current }) => current === worker);
      if (verdict === 'stuck') {
        this.#logger.error({ worker: index, pid, silentFor: silentForMs }, replacements.stuck);
        worker.kill('stuck');
      } else if (slot !== undefined && verdict !== undefined) this.#renew(slot, worker, verdict);
      else if (slot !== undefined && isOutdated(worker)) this.#renew(slot, worker, 'rollback');
    }
  }

  #renew(slot: WatchedSlot, { pid, residentBytes, ageMs }: WatchedWorker, cause: RenewalCause): void {
    if (!this.#renewals.isDue(slot.index, cause, ageMs)) return;
    if (cause !== 'rollback') this.#logger.error({ worker: slot.index, pid, residentBytes }, replacements[cause]);
    const failed = (error: unknown) =>
      this.#logger.error({ worker: slot.index, error: wordsOf(error) }, 'worker could not be replaced');
    void this.#renewals.run(slot.index, cause, ageMs, () => slot.replace(cause), failed);
  }
}
