// Holds the one snapshot that a data plane reads. Readers load `current` once a request; subscribers hear what changed.

import type { Channel, ChannelName, Snapshot, Update } from '../model.js';
import { apply, type Change, emptySnapshot } from './update.js';

export type SnapshotListener = (snapshot: Snapshot, change: Change) => void;

export class SnapshotStore {
  #current: Snapshot = emptySnapshot;
  readonly #listeners = new Set<SnapshotListener>();

  get current(): Snapshot {
    return this.#current;
  }

  channel(name: ChannelName): Channel | undefined {
    return this.#current.channels.get(name);
  }

  /** Applies an update and tells the subscribers; false on a gap: ask for a full update, nothing changed here. */
  accept(update: Update): boolean {
    const next = apply(this.#current, update);
    if (next === undefined) return false;
    this.#current = next.snapshot;
    for (const listener of this.#listeners) listener(next.snapshot, next.change);
    return true;
  }

  /** The listener is called after every accepted update, with the new snapshot. Returns the way to stop it. */
  subscribe(listener: SnapshotListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
