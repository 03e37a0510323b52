// A lock among all who know its name: exclusive, or shared as by readers.

import type { Turn } from './queue-order.js';
import { QueuePlace } from './queue-place.js';
import type { FleetError, FleetSession } from './session.js';

export interface LockOptions {
  readonly session: FleetSession;
  /** The node below which those who want the lock have their places. */
  readonly folder: string;
  /** `exclusive` where nothing is said. */
  readonly turn?: Turn;
  /** Who it is, for others to read. */
  readonly data: string;
  /** Ends the waiting. */
  readonly signal?: AbortSignal;
}

/** A lock that was granted. */
export interface Lock {
  /**
   * The fencing token: a decimal number that grows from one holder to the next. What is written under the lock carries it, and
   * who takes it refuses a smaller one than it has seen: only that keeps out a holder that was stopped between asking `isHeld`
   * and acting.
   */
  readonly token: string;
  /** Aborts at once when the lock is lost. A process that stood still hears of it late: ask `isHeld` before each act. */
  readonly lost: AbortSignal;
  /** Whether it is certainly held now. */
  isHeld(): boolean;
  /** Resolves when others may have it. */
  release(): Promise<void>;
}

/** Errors that no further try mends. */
const hopeless: ReadonlySet<FleetError['kind']> = new Set(['denied', 'disabled', 'too_large']);

/**
 * Waits for the lock, first come, first served. Who loses the session while waiting queues up again.
 *
 * @throws FleetError `denied`, `too_large`; the reason of `signal` when it aborts
 */
export async function acquireLock(options: LockOptions): Promise<Lock> {
  for (;;) {
    const lock = await waitForTurn(options);
    if (lock !== undefined) return lock;
  }
}

/** Undefined: the place was lost while waiting. */
function waitForTurn({ session, folder, turn = 'exclusive', data, signal }: LockOptions): Promise<Lock | undefined> {
  return new Promise((resolve, reject) => {
    const lost = new AbortController();
    let onOver = () => {};
    const over = new Promise<void>((resolve) => {
      onOver = resolve;
    });
    const onAbort = () => {
      place.leave();
      over.then(() => reject(signal?.reason), reject);
    };
    const place: QueuePlace = new QueuePlace({
      session,
      folder,
      turn,
      data,
      changed(standing) {
        if (standing.kind === 'turn') {
          signal?.removeEventListener('abort', onAbort);
          resolve({
            token: standing.token,
            lost: lost.signal,
            isHeld: () => place.hasTurn,
            release() {
              place.leave();
              return over;
            },
          });
        } else if (standing.kind === 'over') {
          onOver();
          lost.abort();
          if (signal?.aborted) return;
          signal?.removeEventListener('abort', onAbort);
          resolve(undefined);
        }
      },
      refused(error) {
        if (!hopeless.has(error.kind)) return;
        signal?.removeEventListener('abort', onAbort);
        reject(error);
        place.leave();
      },
    });
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted) onAbort();
  });
}
