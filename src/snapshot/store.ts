// Holds the snapshot that a data plane reads. Readers load `current` once per request; subscribers get each change.

import type { Channel, ChannelName, Snapshot, Update } from '../model.js';
import { apply, emptySnapshot, type RegistrySnapshot, type SnapshotChange } from './update.js';

export type SnapshotListener = (snapshot: Snapshot, change: SnapshotChange) => void;

/**
 * The order in which subscribers are called. It matters: a stream whose endpoint was deleted picks another one in that call,
 * and a balancer that was not called yet would pick the deleted one again.
 *
 * - connections: the pools, which know the registered servers.
 * - candidates: the balancer, which knows the endpoints that can be picked.
 * - owners: the view of a worker, which calls its own subscribers in turn.
 * - streams: HLS sessions and relays, which pick at once.
 */
const phases = ['connections', 'candidates', 'owners', 'streams'] as const;
export type SnapshotPhase = (typeof phases)[number];

/** The current snapshot. Subscribers are called in the order of their phases. */
export class SnapshotStore {
  #current: RegistrySnapshot = emptySnapshot;
  readonly #listeners = phases.map((phase) => ({ phase, listeners: new Set<SnapshotListener>() }));

  get current(): RegistrySnapshot {
    return this.#current;
  }

  channel(name: ChannelName): Channel | undefined {
    return this.#current.channels.get(name);
  }

  /** Applies an update and calls the subscribers. Returns false on a gap: then nothing changed. */
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
   * Calls the listener after every accepted update, with the new snapshot; within a phase in the order of subscription.
   * Returns a function that ends the subscription.
   */
  subscribe(listener: SnapshotListener, phase: SnapshotPhase = 'streams'): () => void {
    const listeners = this.#listeners.find((one) => one.phase === phase)?.listeners;
    listeners?.add(listener);
    return () => listeners?.delete(listener);
  }
}
