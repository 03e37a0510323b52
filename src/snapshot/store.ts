// Holds the one snapshot that a data plane reads. Readers load `current` once a request; subscribers hear what changed.

import type { Channel, ChannelName, Snapshot, Update } from '../model.js';
import { apply, type Change, emptySnapshot, type RegistrySnapshot } from './update.js';

export type SnapshotListener = (snapshot: Snapshot, change: Change) => void;

/**
 * Who hears of a snapshot first. It matters: a stream whose endpoint was deleted picks another one while it hears of that,
 * and a balancer that had not heard yet would pick the deleted one again.
 *
 * - connections: the pools, which know who is registered.
 * - candidates: the balancer, which knows who can be picked.
 * - owners: the view of a worker, which tells its own subscribers in its turn.
 * - streams: HLS sessions and relays, which pick at once.
 */
const phases = ['connections', 'candidates', 'owners', 'streams'] as const;
export type SnapshotPhase = (typeof phases)[number];

/** The present snapshot. Subscribers are called in the order of their phases. */
export class SnapshotStore {
  #current: RegistrySnapshot = emptySnapshot;
  readonly #listeners = phases.map((phase) => ({ phase, listeners: new Set<SnapshotListener>() }));

  get current(): RegistrySnapshot {
    return this.#current;
  }

  channel(name: ChannelName): Channel | undefined {
    return this.#current.channels.get(name);
  }

  /** Applies an update and tells the subscribers; false on a gap: nothing changed here. */
  accept(update: Update): boolean {
    const next = apply(this.#current, update);
    if (next === undefined) return false;
    this.#current = next.snapshot;
    for (const { listeners } of this.#listeners) {
      for (const listener of listeners) listener(next.snapshot, next.change);
    }
    return true;
  }

  /**
   * The listener is called after every accepted update, with the new snapshot; within a phase, in the order of
   * subscription. Returns the way to stop it.
   */
  subscribe(listener: SnapshotListener, phase: SnapshotPhase = 'streams'): () => void {
    const listeners = this.#listeners.find((one) => one.phase === phase)?.listeners;
    listeners?.add(listener);
    return () => listeners?.delete(listener);
  }
}
