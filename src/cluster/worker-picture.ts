// What one worker is told of the registry: the whole picture before it starts, then each change; a large one in pieces,
// between which it serves its players.

import type { Update } from '../model.js';
import { SnapshotFollower } from '../snapshot/follower.js';
import type { RegistrySnapshot } from '../snapshot/update.js';

export interface PictureTools {
  readonly current: () => RegistrySnapshot;
  /** Hands a message to the system; `taken` is called once, when the system has it. */
  readonly write: (message: { readonly kind: 'update'; readonly update: Update }, taken: () => void) => void;
  /** Resolves when the worker has heard all that it was sent; never rejects. */
  readonly heard: () => Promise<unknown>;
  /** It was sent the whole picture as it is now, for the first time: what follows in this turn builds on it. */
  readonly complete: () => void;
}

/** The picture that one worker has, and what it is still to be sent. */
export class WorkerPicture {
  readonly #follower: SnapshotFollower;
  readonly #complete: () => void;
  #state: 'unborn' | 'incomplete' | 'complete' = 'unborn';

  constructor({ current, write, heard, complete }: PictureTools) {
    this.#complete = complete;
    this.#follower = new SnapshotFollower(current, {
      send: (update, isLast, taken) => {
        const written = new Promise<void>((resolve) => write({ kind: 'update', update }, resolve));
        // Before its start nobody waits for it, and it answers nothing.
        const turned = isLast || this.#state === 'incomplete' ? written : Promise.all([written, heard()]);
        void turned.then(taken);
        if (isLast) this.#begin();
      },
    });
  }

  /** The process listens to messages. */
  begin(): void {
    if (this.#state !== 'unborn') return;
    this.#state = 'incomplete';
    this.#follower.advance();
    // Nothing was ever published.
    if (this.#follower.isSettled) this.#begin();
  }

  /** The picture may be another one. */
  changed(): void {
    if (this.#state !== 'unborn') this.#follower.advance();
  }

  /** Resolves when all that is published now was handed to the system, or the worker is gone. */
  settled(): Promise<void> {
    return this.#follower.settled();
  }

  close(): void {
    this.#follower.close();
  }

  #begin(): void {
    if (this.#state === 'complete') return;
    this.#state = 'complete';
    this.#complete();
  }
}
