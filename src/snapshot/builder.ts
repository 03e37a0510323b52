// Turns the events of a registry into updates for the data planes. Reports in quick succession are gathered, since a busy
// registry changes thousands of them a second. A first report and a vanished endpoint are published in the same turn of the
// event loop; where very many vanish, they are gathered like reports.

import type { ChannelName, Endpoint, EndpointId, SnapshotState, Update } from '../model.js';
import type { RegistryNote, RegistrySink } from '../registry/registry.js';
import { LastResorts } from './last-resorts.js';
import { type MassDropSettings, Vanished } from './mass-drop.js';
import { diff, refOf, sameEndpoint } from './update.js';

/** Reports are published at most once in this time, as long as there is at most one report per millisecond. */
const minIntervalMs = 10;
/** Reports are published at least once in this time, which ten reports per millisecond or more reach. */
const maxIntervalMs = 100;
/** Endpoints vanish in their turn as long as no more than this vanished within `maxIntervalMs`. */
const promptDrops = 50;

export interface BuilderOptions {
  readonly publish: (update: Update) => void;
  readonly note: (note: RegistryNote) => void;
  /** Called with the time from a registry event to its publication. */
  readonly eventDelay: (delayMs: number) => void;
  /** Called when most endpoints vanished at once, with the number that is kept as last resorts. */
  readonly massDropped: (endpoints: number) => void;
  /** `window` and `keep` in ms. */
  readonly massDrop: MassDropSettings & { readonly window: number; readonly keep: number };
  /** Monotonic ms. */
  readonly now: () => number;
}

/** Builds the snapshot from the events of a registry, and publishes its updates. */
export class SnapshotBuilder implements RegistrySink {
  readonly #options: BuilderOptions;
  /** What is published or about to be, last resorts included. */
  readonly #endpoints = new Map<EndpointId, Endpoint>();
  readonly #lastResorts: LastResorts;
  readonly #vanished: Vanished;
  /** For each channel, how many endpoints are registered: all but the last resorts. */
  readonly #registered = new Map<ChannelName, number>();
  #pendingPuts = new Map<EndpointId, Endpoint>();
  #pendingDrops = new Map<EndpointId, Endpoint>();
  #pendingSeenAt: number[] = [];
  #state: SnapshotState = 'pending';
  #revision = 0;
  #flushTimer: NodeJS.Timeout | undefined;
  #flushQueued = false;
  /** Reports and vanished endpoints since the last publication. */
  #changes = 0;
  /** Endpoints that vanished since `#dropsSince`, which is at most `maxIntervalMs` ago, and in as long a time before. */
  #drops = 0;
  #dropsBefore = 0;
  #dropsSince = Number.NEGATIVE_INFINITY;
  #publishedAt = Number.NEGATIVE_INFINITY;
  /** Between two publications: longer the more changes there were. */
  #intervalMs = minIntervalMs;
  #expiryTimer: NodeJS.Timeout | undefined;

  constructor(options: BuilderOptions) {
    this.#options = options;
    this.#lastResorts = new LastResorts(options.massDrop);
    this.#vanished = new Vanished(options.massDrop);
  }

  /** Serves the last endpoints of an earlier run until the registry is read. Ignored after that. */
  restore(endpoints: Iterable<Endpoint>): void {
    if (this.#state !== 'pending') return;
    for (const endpoint of endpoints) {
      this.#endpoints.set(endpoint.id, endpoint);
      if (endpoint.lastResort === true) this.#lastResorts.keep(endpoint, this.#options.now());
      else this.#count(endpoint.channel, 1);
    }
    this.#state = 'stale';
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
    this.#flush(true);
  }

  put(endpoint: Endpoint, seenAt?: number): void {
    this.#put(endpoint);
    this.#changes += 1;
    if (seenAt !== undefined) this.#pendingSeenAt.push(seenAt);
    this.#flushInTime();
  }

  drop(id: EndpointId, seenAt?: number): void {
    // An endpoint that is deleted while everything is read again is missing in the next picture, and is judged with it.
    if (this.#state !== 'live') return;
    const endpoint = this.#endpoints.get(id);
    if (endpoint === undefined || endpoint.lastResort === true) return;
    this.#drop(endpoint);
    this.#changes += 1;
    if (seenAt !== undefined) this.#pendingSeenAt.push(seenAt);
    if (this.#isFlood()) this.#flushInTime();
    else this.#flushSoon();
  }

  status(state: 'live' | 'stale'): void {
    if (state === this.#state) return;
    // As long as the registry was never reached, nothing can be stale.
    if (state === 'stale' && this.#state === 'pending') return;
    this.#flush();
    this.#state = state;
    if (state === 'live') this.#lastResorts.renew(this.#options.now());
    this.#scheduleExpiry();
    this.#publish([], []);
  }

  note(note: RegistryNote): void {
    this.#options.note(note);
  }

  /** Publishes pending changes and releases the timers. */
  close(): void {
    this.#flush();
    clearTimeout(this.#expiryTimer);
  }

  #put(endpoint: Endpoint): void {
    const before = this.#endpoints.get(endpoint.id);
    if (before !== undefined && sameEndpoint(before, endpoint)) return;
    if (before === undefined || before.lastResort === true) this.#count(endpoint.channel, 1);
    const replaced = this.#lastResorts.replacedBy(endpoint);
    if (replaced !== undefined && replaced !== endpoint.id) this.#dropLastResort(replaced);
    if (before !== undefined) this.#lastResorts.release(before);
    this.#endpoints.set(endpoint.id, endpoint);
    this.#pendingDrops.delete(endpoint.id);
    this.#pendingPuts.set(endpoint.id, endpoint);
  }

  /** Takes out a registered endpoint. */
  #drop(endpoint: Endpoint): void {
    this.#count(endpoint.channel, -1);
    this.#endpoints.delete(endpoint.id);
    this.#pendingPuts.delete(endpoint.id);
    this.#pendingDrops.set(endpoint.id, endpoint);
  }

  #dropLastResort(id: EndpointId): void {
    const endpoint = this.#endpoints.get(id);
    if (endpoint === undefined) return;
    this.#lastResorts.release(endpoint);
    this.#endpoints.delete(id);
    this.#pendingPuts.delete(id);
    this.#pendingDrops.set(id, endpoint);
  }

  #count(channel: ChannelName, change: 1 | -1): void {
    const count = (this.#registered.get(channel) ?? 0) + change;
    if (count === 0) this.#registered.delete(channel);
    else this.#registered.set(channel, count);
  }

  /** Counts a vanished endpoint. Returns whether very many vanish. */
  #isFlood(): boolean {
    const now = this.#options.now();
    const sinceMs = now - this.#dropsSince;
    if (sinceMs > maxIntervalMs) {
      this.#dropsBefore = sinceMs > 2 * maxIntervalMs ? 0 : this.#drops;
      this.#dropsSince = now;
      this.#drops = 0;
    }
    this.#drops += 1;
    return Math.max(this.#drops, this.#dropsBefore) > promptDrops;
  }

  /** Publishes as soon as the interval since the last time is over. */
  #flushInTime(): void {
    const waitMs = this.#publishedAt + this.#intervalMs - this.#options.now();
    if (waitMs <= 0) this.#flushSoon();
    else this.#flushTimer ??= setTimeout(() => this.#flush(), waitMs);
  }

  /** Publishes at the end of this turn, so that one message of the registry becomes one update. */
  #flushSoon(): void {
    if (this.#flushQueued) return;
    this.#flushQueued = true;
    queueMicrotask(() => this.#flush());
  }

  /** @param unseen the dropped endpoints are missing in a picture that was read; nobody saw them vanish */
  #flush(unseen = false): void {
    clearTimeout(this.#flushTimer);
    this.#flushTimer = undefined;
    this.#flushQueued = false;
    if (this.#pendingPuts.size === 0 && this.#pendingDrops.size === 0) return;
    this.#guardAgainstMassDrop(unseen);
    this.#pace();
    const put = [...this.#pendingPuts.values()];
    const drop = [...this.#pendingDrops.values()];
    this.#pendingPuts = new Map();
    this.#pendingDrops = new Map();
    this.#publish(put, drop);
    const published = performance.timeOrigin + performance.now();
    for (const seenAt of this.#pendingSeenAt) this.#options.eventDelay(Math.max(0, published - seenAt));
    this.#pendingSeenAt = [];
  }

  #pace(): void {
    const now = this.#options.now();
    const perMillisecond = this.#changes / Math.max(minIntervalMs, now - this.#publishedAt);
    this.#intervalMs = Math.min(maxIntervalMs, Math.max(minIntervalMs, minIntervalMs * perMillisecond));
    this.#changes = 0;
    this.#publishedAt = now;
  }

  /** A channel that would have no endpoint left keeps those whose disappearance is not believed, as last resorts. */
  #guardAgainstMassDrop(unseen: boolean): void {
    if (this.#pendingDrops.size === 0 || this.#options.massDrop.keep === 0) return;
    const now = this.#options.now();
    for (const endpoint of this.#pendingDrops.values()) {
      if (endpoint.lastResort !== true) this.#vanished.add(endpoint, now);
    }
    const remaining = this.#endpoints.size - this.#lastResorts.size;
    const kept = this.#vanished
      .doubted(remaining, now, unseen)
      .filter(({ id, channel }) => !this.#endpoints.has(id) && !this.#registered.has(channel));
    if (kept.length === 0) return;
    for (const endpoint of kept) {
      const lastResort = { ...endpoint, lastResort: true };
      this.#endpoints.set(endpoint.id, lastResort);
      this.#pendingDrops.delete(endpoint.id);
      this.#pendingPuts.set(endpoint.id, lastResort);
      this.#lastResorts.keep(lastResort, now);
    }
    this.#options.massDropped(kept.length);
    this.#scheduleExpiry();
  }

  #scheduleExpiry(): void {
    clearTimeout(this.#expiryTimer);
    this.#expiryTimer = undefined;
    const { first } = this.#lastResorts;
    if (first === undefined || this.#state !== 'live') return;
    this.#expiryTimer = setTimeout(() => this.#expire(), Math.max(0, first - this.#options.now()) + 1);
  }

  #expire(): void {
    for (const id of this.#lastResorts.expired(this.#options.now())) this.#dropLastResort(id);
    this.#flush();
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
