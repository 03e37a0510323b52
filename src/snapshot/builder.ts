// Turns what a registry says into updates for the data planes. Reports that follow each other closely are gathered, since
// a busy registry changes thousands of them a second; a first one and a vanished endpoint are published in the same turn
// of the event loop.

import type { Endpoint, EndpointId, SnapshotState, Update } from '../model.js';
import type { RegistryNote, RegistrySink } from '../registry/registry.js';
import { isMassDrop, type MassDropSettings } from './mass-drop.js';
import { diff, refOf, sameEndpoint } from './update.js';

/** Reports are published at most once in this time, in ms. */
const putInterval = 10;

export interface BuilderOptions {
  readonly publish: (update: Update) => void;
  readonly note: (note: RegistryNote) => void;
  /** From a registry event to its publication, in ms. */
  readonly eventDelay: (milliseconds: number) => void;
  readonly massDropped: (endpoints: number) => void;
  /** `window` and `keep` in ms. */
  readonly massDrop: MassDropSettings & { readonly window: number; readonly keep: number };
  /** Monotonic ms. */
  readonly now: () => number;
}

interface Vanished {
  readonly endpoint: Endpoint;
  readonly at: number;
}

export class SnapshotBuilder implements RegistrySink {
  readonly #options: BuilderOptions;
  /** What is published or about to be, last resorts included. */
  readonly #endpoints = new Map<EndpointId, Endpoint>();
  readonly #lastResortUntil = new Map<EndpointId, number>();
  #pendingPuts = new Map<EndpointId, Endpoint>();
  #pendingDrops = new Map<EndpointId, Endpoint>();
  #pendingSeenAt: number[] = [];
  #vanished: Vanished[] = [];
  #state: SnapshotState = 'pending';
  #revision = 0;
  #flushTimer: NodeJS.Timeout | undefined;
  #flushQueued = false;
  /** What is known comes from a file of an earlier run. */
  #restored = false;
  #publishedAt = Number.NEGATIVE_INFINITY;
  #expiryTimer: NodeJS.Timeout | undefined;

  constructor(options: BuilderOptions) {
    this.#options = options;
  }

  /** Serves what an earlier run last knew, until the registry is read. Ignored once it was. */
  restore(endpoints: Iterable<Endpoint>): void {
    if (this.#state !== 'pending') return;
    for (const endpoint of endpoints) this.#endpoints.set(endpoint.id, endpoint);
    this.#state = 'stale';
    this.#restored = true;
    this.#publishFull();
  }

  replace(all: Iterable<Endpoint>): void {
    this.#flush();
    const next = new Map<EndpointId, Endpoint>();
    for (const endpoint of all) next.set(endpoint.id, endpoint);
    const change = diff(this.#endpoints, next);
    for (const endpoint of change.put) this.#put(endpoint);
    for (const endpoint of change.drop) {
      if (endpoint.lastResort !== true) this.#drop(endpoint);
    }
    this.#flush();
    this.#restored = false;
  }

  put(endpoint: Endpoint, seenAt?: number): void {
    this.#put(endpoint);
    if (seenAt !== undefined) this.#pendingSeenAt.push(seenAt);
    const wait = this.#publishedAt + putInterval - this.#options.now();
    if (wait <= 0) this.#flushSoon();
    else this.#flushTimer ??= setTimeout(() => this.#flush(), wait);
  }

  drop(id: EndpointId, seenAt?: number): void {
    const endpoint = this.#endpoints.get(id);
    if (endpoint === undefined || endpoint.lastResort === true) return;
    this.#drop(endpoint);
    if (seenAt !== undefined) this.#pendingSeenAt.push(seenAt);
    this.#flushSoon();
  }

  status(state: 'live' | 'stale'): void {
    if (state === this.#state) return;
    // A registry that was never reached has nothing that could be stale.
    if (state === 'stale' && this.#state === 'pending') return;
    this.#flush();
    this.#state = state;
    this.#publish([], []);
  }

  note(note: RegistryNote): void {
    this.#options.note(note);
  }

  /** The whole picture, for a data plane that starts or has seen a gap. */
  full(): Update {
    this.#flush();
    return { kind: 'full', revision: this.#revision, state: this.#state, endpoints: [...this.#endpoints.values()] };
  }

  /** Publishes what is pending and releases the timers. */
  close(): void {
    this.#flush();
    clearTimeout(this.#expiryTimer);
  }

  #put(endpoint: Endpoint): void {
    const before = this.#endpoints.get(endpoint.id);
    if (before !== undefined && sameEndpoint(before, endpoint)) return;
    this.#lastResortUntil.delete(endpoint.id);
    this.#endpoints.set(endpoint.id, endpoint);
    this.#pendingDrops.delete(endpoint.id);
    this.#pendingPuts.set(endpoint.id, endpoint);
  }

  #drop(endpoint: Endpoint): void {
    this.#endpoints.delete(endpoint.id);
    this.#pendingPuts.delete(endpoint.id);
    this.#pendingDrops.set(endpoint.id, endpoint);
  }

  /** At the end of this turn: what one message of the registry tells is published as one update. */
  #flushSoon(): void {
    if (this.#flushQueued) return;
    this.#flushQueued = true;
    queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    clearTimeout(this.#flushTimer);
    this.#flushTimer = undefined;
    this.#flushQueued = false;
    if (this.#pendingPuts.size === 0 && this.#pendingDrops.size === 0) return;
    this.#guardAgainstMassDrop();
    this.#publishedAt = this.#options.now();
    const put = [...this.#pendingPuts.values()];
    const drop = [...this.#pendingDrops.values()];
    this.#pendingPuts = new Map();
    this.#pendingDrops = new Map();
    this.#publish(put, drop);
    const published = performance.timeOrigin + performance.now();
    for (const seenAt of this.#pendingSeenAt) this.#options.eventDelay(Math.max(0, published - seenAt));
    this.#pendingSeenAt = [];
  }

  /**
   * Only while connected: after a reconnect the difference is the truth, however large. What a file had kept gets the
   * benefit of the doubt, too: an empty registry at the start may be one whose origins are still coming back.
   */
  #guardAgainstMassDrop(): void {
    if ((this.#state !== 'live' && !this.#restored) || this.#pendingDrops.size === 0) return;
    const { massDrop, now } = this.#options;
    const at = now();
    this.#vanished = this.#vanished.filter((one) => at - one.at <= massDrop.window);
    for (const endpoint of this.#pendingDrops.values()) this.#vanished.push({ endpoint, at });
    const registered = this.#endpoints.size - this.#lastResortUntil.size;
    if (!isMassDrop(this.#vanished.length, registered, massDrop)) return;
    const kept = this.#vanished.filter(({ endpoint }) => !this.#endpoints.has(endpoint.id));
    if (kept.length === 0) return;
    for (const { endpoint } of kept) {
      const lastResort = { ...endpoint, lastResort: true };
      this.#endpoints.set(endpoint.id, lastResort);
      this.#pendingDrops.delete(endpoint.id);
      this.#pendingPuts.set(endpoint.id, lastResort);
      this.#lastResortUntil.set(endpoint.id, at + massDrop.keep);
    }
    this.#options.massDropped(kept.length);
    this.#scheduleExpiry();
  }

  #scheduleExpiry(): void {
    clearTimeout(this.#expiryTimer);
    this.#expiryTimer = undefined;
    const first = Math.min(...this.#lastResortUntil.values());
    if (!Number.isFinite(first)) return;
    this.#expiryTimer = setTimeout(() => this.#expire(), Math.max(0, first - this.#options.now()) + 1);
  }

  #expire(): void {
    const now = this.#options.now();
    const gone: Endpoint[] = [];
    for (const [id, until] of this.#lastResortUntil) {
      if (until > now) continue;
      this.#lastResortUntil.delete(id);
      const endpoint = this.#endpoints.get(id);
      if (endpoint !== undefined) gone.push(endpoint);
      this.#endpoints.delete(id);
    }
    if (gone.length > 0) this.#publish([], gone);
    this.#scheduleExpiry();
  }

  #publish(put: readonly Endpoint[], drop: readonly Endpoint[]): void {
    const base = this.#revision;
    this.#revision += 1;
    const { publish } = this.#options;
    publish({ kind: 'delta', base, revision: this.#revision, state: this.#state, put, drop: drop.map(refOf) });
  }

  #publishFull(): void {
    this.#revision += 1;
    const endpoints = [...this.#endpoints.values()];
    this.#options.publish({ kind: 'full', revision: this.#revision, state: this.#state, endpoints });
  }
}
