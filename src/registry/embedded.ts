// The embedded registry: leases in memory, for single machines and for tests. An endpoint whose lease is not renewed is gone.

import { randomUUID } from 'node:crypto';
import type { ChannelName, Endpoint, EndpointId, ServiceAddress, Traits } from '../model.js';
import { DeadlineQueue } from './deadline-queue.js';
import type { Registry, RegistrySink } from './registry.js';

/** What an endpoint reports with each renewal. */
export interface LeaseInfo {
  readonly address: ServiceAddress;
  /** Fraction 0..1; undefined is unknown. */
  readonly load: number | undefined;
  /** kbit/s; undefined is unknown. */
  readonly bitrate: number | undefined;
  /** Fraction 0..1; undefined is unknown. */
  readonly packetLoss: number | undefined;
  readonly traits?: Traits;
  /** False: the lease is held, but the endpoint serves nobody now. Default true. */
  readonly eligible?: boolean;
}

export interface Lease {
  readonly channel: ChannelName;
  /** Chosen by its owner; unique within the channel. */
  readonly name: string;
  readonly endpoint: Endpoint;
  /** False: it is not published as an endpoint. */
  readonly eligible: boolean;
  /** Its owner reports that it drains. */
  readonly isLeaving: boolean;
  /** Somebody else took it out of service, which renewals do not change. */
  readonly isDrained: boolean;
  /** Monotonic ms of the injected clock. */
  readonly expiresAt: number;
}

export interface EmbeddedSettings {
  /** The longest lease that is granted, in ms. */
  readonly maxTtl: number;
  /** Bound on all leases. */
  readonly maxEndpoints: number;
  /** Bound on the leases of one channel. */
  readonly maxEndpointsPerChannel: number;
}

export type PutResult =
  /** `ttlMs`: as granted. */
  | { readonly kind: 'created' | 'renewed'; readonly ttlMs: number }
  | {
      readonly kind: 'full';
      /** The setting that allows no more. */
      readonly by: 'registry.embedded.maxEndpoints' | 'registry.maxEndpointsPerChannel';
    };

/** Of one timer; a very long one would overflow and fire at once. */
const maxWaitMs = 60_000;

/** Leases in memory. They end with the process, and by their TTL on the clock that is handed in. */
export class EmbeddedRegistry implements Registry {
  readonly #leases = new Map<string, Lease>();
  readonly #leasesOf = new Map<ChannelName, number>();
  readonly #deadlines = new DeadlineQueue<string>();
  readonly #sinks = new Set<RegistrySink>();
  #timer: NodeJS.Timeout | undefined;
  #made = 0;
  /** Makes ids differ from those of an earlier run of the process, which a kept snapshot may still hold. */
  readonly #instance = randomUUID().slice(0, 8);
  readonly #settings: EmbeddedSettings;
  readonly #now: () => number;

  /** @param now monotonic ms */
  constructor(settings: EmbeddedSettings, now: () => number = () => performance.now()) {
    this.#settings = settings;
    this.#now = now;
  }

  async run(sink: RegistrySink, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    this.#expire();
    sink.replace([...this.#leases.values()].flatMap(({ endpoint, eligible }) => (eligible ? endpoint : [])));
    sink.status('live');
    this.#sinks.add(sink);
    this.#schedule();
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    this.#sinks.delete(sink);
    this.#schedule();
  }

  /** Creates or renews a lease for `ttlMs`, at most `maxTtl`. Every renewal is a new report. */
  put(channel: ChannelName, name: string, info: LeaseInfo, ttlMs: number): PutResult {
    this.#expire();
    const key = leaseKey(channel, name);
    const before = this.#leases.get(key);
    const { maxEndpoints, maxEndpointsPerChannel } = this.#settings;
    const inChannel = this.#leasesOf.get(channel) ?? 0;
    if (before === undefined) {
      if (this.#leases.size >= maxEndpoints) return { kind: 'full', by: 'registry.embedded.maxEndpoints' };
      if (inChannel >= maxEndpointsPerChannel) return { kind: 'full', by: 'registry.maxEndpointsPerChannel' };
      this.#leasesOf.set(channel, inChannel + 1);
    }
    const grantedMs = Math.min(ttlMs, this.#settings.maxTtl);
    const { address, load, bitrate, packetLoss, traits, eligible = true } = info;
    const id = before?.endpoint.id ?? (`${key}@${this.#instance}-${(++this.#made).toString(16)}` as EndpointId);
    const version = before === undefined ? 0 : before.endpoint.version + 1;
    const [isLeaving, isDrained] = [traits?.draining === true, before?.isDrained === true];
    const reported: Endpoint = { ...traits, id, channel, address, load, bitrate, packetLoss, version };
    const endpoint = withDraining(reported, isLeaving || isDrained);
    const expiresAt = this.#now() + grantedMs;
    this.#leases.set(key, { channel, name, endpoint, eligible, isLeaving, isDrained, expiresAt });
    this.#deadlines.set(key, expiresAt);
    const seenAt = wallClock();
    for (const sink of this.#sinks) {
      sink.note({ kind: 'event', event: before === undefined ? 'lease_created' : 'lease_renewed' });
      if (eligible) sink.put(endpoint, seenAt);
      else if (before?.eligible === true) sink.drop(id, seenAt);
    }
    this.#schedule();
    return { kind: before === undefined ? 'created' : 'renewed', ttlMs: grantedMs };
  }

  /**
   * Takes an endpoint out of service or back, until its lease ends. An endpoint whose owner reports that it drains goes on
   * draining.
   *
   * @returns false when there is no such lease
   */
  drain(channel: ChannelName, name: string, isDrained: boolean): boolean {
    this.#expire();
    const key = leaseKey(channel, name);
    const lease = this.#leases.get(key);
    if (lease === undefined) return false;
    if (lease.isDrained === isDrained) return true;
    const changed = { ...lease.endpoint, version: lease.endpoint.version + 1 };
    const endpoint = withDraining(changed, isDrained || lease.isLeaving);
    this.#leases.set(key, { ...lease, endpoint, isDrained });
    const seenAt = wallClock();
    for (const sink of this.#sinks) {
      sink.note({ kind: 'event', event: isDrained ? 'lease_drained' : 'lease_undrained' });
      if (lease.eligible) sink.put(endpoint, seenAt);
    }
    return true;
  }

  /** Ends a lease; false when there is none. */
  delete(channel: ChannelName, name: string): boolean {
    this.#expire();
    const removed = this.#remove(leaseKey(channel, name), 'lease_deleted');
    this.#schedule();
    return removed;
  }

  list(): Lease[] {
    this.#expire();
    return [...this.#leases.values()];
  }

  #remove(key: string, event: string): boolean {
    const lease = this.#leases.get(key);
    if (lease === undefined) return false;
    this.#leases.delete(key);
    this.#deadlines.delete(key);
    const others = (this.#leasesOf.get(lease.channel) ?? 1) - 1;
    if (others === 0) this.#leasesOf.delete(lease.channel);
    else this.#leasesOf.set(lease.channel, others);
    const seenAt = wallClock();
    for (const sink of this.#sinks) {
      sink.note({ kind: 'event', event });
      if (lease.eligible) sink.drop(lease.endpoint.id, seenAt);
    }
    return true;
  }

  #expire(): void {
    const now = this.#now();
    for (
      let first = this.#deadlines.first;
      first !== undefined && first.deadline <= now;
      first = this.#deadlines.first
    ) {
      this.#remove(first.key, 'lease_expired');
    }
  }

  /** One timer for all leases, and only while somebody listens. */
  #schedule(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { first } = this.#deadlines;
    if (first === undefined || this.#sinks.size === 0) return;
    const waitMs = Math.min(maxWaitMs, Math.max(0, Math.ceil(first.deadline - this.#now())));
    this.#timer = setTimeout(() => {
      this.#expire();
      this.#schedule();
    }, waitMs);
  }
}

function withDraining({ draining: _, ...endpoint }: Endpoint, isDraining: boolean): Endpoint {
  return isDraining ? { ...endpoint, draining: true } : endpoint;
}

/** No name holds a slash, so this is unique. */
function leaseKey(channel: ChannelName, name: string): string {
  return `/channels/${channel}/${name}`;
}

function wallClock(): number {
  return performance.timeOrigin + performance.now();
}
