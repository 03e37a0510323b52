// Holds the snapshot that a data plane reads. Readers load `current` once per request; subscribers get each change, followers
// of a channel only hear that theirs may be another one.

import type { Channel, ChannelName, Snapshot, Update } from '../model.js';
import { apply, emptySnapshot, type RegistrySnapshot, type SnapshotChange } from './update.js';

export type SnapshotListener = (snapshot: Snapshot, change: SnapshotChange) => void;

/**
 * The order in which subscribers are called. It matters: a stream whose endpoint was deleted picks another one in that call,
 * and a balancer that was not called yet would pick the deleted one again.
 *
 * - connections: the pools, which know the registered servers.
 * - candidates: the balancer, which knows the endpoints that can be picked.
 * - streams: HLS sessions, which pick at once. Relays follow their channels, and hear of them after all subscribers.
 */
const phases = ['connections', 'candidates', 'streams'] as const;
export type SnapshotPhase = (typeof phases)[number];

/** The channels as streams see them: those of the registry, or what a worker may pull. */
export type ChannelSource = Pick<SnapshotStore, 'channel' | 'follow'>;

/** The current snapshot. Subscribers are called in the order of their phases, and then the followers of what changed. */
export class SnapshotStore {
  #current: RegistrySnapshot = emptySnapshot;
  readonly #listeners = phases.map((phase) => ({ phase, listeners: new Set<SnapshotListener>() }));
  readonly #followers = new Map<ChannelName, Set<() => void>>();

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
    this.#tellFollowers(next.change);
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

  /**
   * Calls `changed` after each update that changes the endpoints of this channel or what they report. Thousands may follow:
   * an update costs only those whose channels are in it. Returns a function that ends it.
   */
  follow(channel: ChannelName, changed: () => void): () => void {
    const told = () => changed();
    const followers = this.#followers.get(channel) ?? new Set();
    this.#followers.set(channel, followers.add(told));
    return () => {
      followers.delete(told);
      if (followers.size === 0 && this.#followers.get(channel) === followers) this.#followers.delete(channel);
    };
  }

  #tellFollowers({ put, drop }: SnapshotChange): void {
    if (this.#followers.size === 0) return;
    const told = new Set<() => void>();
    for (const { channel } of drop) for (const changed of this.#followers.get(channel) ?? []) told.add(changed);
    for (const { channel } of put) for (const changed of this.#followers.get(channel) ?? []) told.add(changed);
    for (const changed of told) changed();
  }
}
