// The endpoints that can be picked, each as it was last reported, by the registry or by the origin itself.

import { WeirError } from '../errors.js';
import type { ChannelName, Endpoint, EndpointId, ServerOrigin, Snapshot } from '../model.js';
import { serverOf } from '../net-address.js';
import type { SnapshotStore } from '../snapshot/store.js';
import type { SnapshotChange } from '../snapshot/update.js';
import type { EndpointStates } from './endpoint-state.js';
import type { Ineligible } from './explanation.js';
import type { OrcaReport } from './orca.js';
import { isEjected, isPanic } from './outlier.js';
import type { Candidate } from './policy.js';
import type { Preference } from './preference.js';

/** ms between two reports with an answer that are taken in. */
const minRefreshMs = 250;

export interface CandidatesObserver {
  /** It joined, or told something new. */
  reported(candidate: Candidate): void;
  dropped(id: EndpointId): void;
  /** No endpoint of the server is left. */
  left(server: ServerOrigin): void;
  /** An endpoint registered an address that may not be connected to. */
  refused(server: ServerOrigin): void;
  channelGone(channel: ChannelName): void;
}

export interface CandidatesOptions {
  readonly store: SnapshotStore;
  readonly states: EndpointStates;
  readonly observer: CandidatesObserver;
  /** False for servers that may not be connected to: they are never eligible. */
  readonly addressAllowed: (server: ServerOrigin) => boolean;
  /** Share of the endpoints that may be ejected; beyond it all are eligible again. */
  readonly panicThreshold: () => number;
  /** What the traits of these endpoints say; undefined: nothing. Asked when endpoints change. */
  readonly prefer: (candidates: readonly Candidate[]) => Preference | undefined;
  /** Monotonic ms. */
  readonly now: () => number;
}

/** The candidates of a channel, with what follows from their traits. */
export interface Field {
  readonly candidates: readonly Candidate[];
  /** Undefined: any of them may be picked, as the policy likes. */
  readonly preference: Preference | undefined;
}

/** The candidates of all channels, kept equal to the snapshot. Subscribed to the store until `close`. */
export class Candidates {
  readonly #store: SnapshotStore;
  readonly #states: EndpointStates;
  readonly #observer: CandidatesObserver;
  readonly #addressAllowed: (server: ServerOrigin) => boolean;
  readonly #panicThreshold: () => number;
  readonly #prefer: (candidates: readonly Candidate[]) => Preference | undefined;
  readonly #now: () => number;
  readonly #reports = new Map<EndpointId, Candidate>();
  /** The endpoints of each server. */
  readonly #endpointsOf = new Map<ServerOrigin, Set<EndpointId>>();
  /** Servers that may not be connected to. */
  readonly #refused = new Set<ServerOrigin>();
  /** Made at the first pick after a change. */
  readonly #ofChannel = new Map<ChannelName, Field>();
  readonly #unsubscribe: () => void;

  constructor({ store, states, observer, addressAllowed, panicThreshold, prefer, now }: CandidatesOptions) {
    this.#store = store;
    this.#states = states;
    this.#observer = observer;
    this.#addressAllowed = addressAllowed;
    this.#panicThreshold = panicThreshold;
    this.#prefer = prefer;
    this.#now = now;
    const { current } = store;
    this.#changed(current, { put: [...current.channels.values()].flatMap((channel) => channel.endpoints), drop: [] });
    this.#unsubscribe = store.subscribe((snapshot, change) => this.#changed(snapshot, change), 'candidates');
  }

  get(id: EndpointId): Candidate | undefined {
    return this.#reports.get(id);
  }

  [Symbol.iterator](): Iterator<Candidate> {
    return this.#reports.values();
  }

  /** Those that have an endpoint. */
  get servers(): Pick<ReadonlyMap<ServerOrigin, unknown>, 'has' | 'keys'> {
    return this.#endpointsOf;
  }

  /** @throws WeirError not_ready before the first snapshot, or unknown_channel */
  of(name: ChannelName): Field {
    const known = this.#ofChannel.get(name);
    if (known !== undefined) return known;
    const snapshot = this.#store.current;
    const channel = snapshot.channels.get(name);
    if (channel === undefined) throw new WeirError(snapshot.state === 'pending' ? 'not_ready' : 'unknown_channel');
    const candidates = channel.endpoints.flatMap((endpoint) => this.#reports.get(endpoint.id) ?? []);
    const field = { candidates, preference: this.#prefer(candidates) };
    this.#ofChannel.set(name, field);
    return field;
  }

  /** What can be picked of a field: the ejected only in a panic; the refused and the excluded never. */
  possible(field: Field, now: number, exclude: readonly ServerOrigin[] | undefined): Field {
    const all = field.candidates;
    let ejected = 0;
    let special = exclude !== undefined && exclude.length > 0;
    for (const { state } of all) {
      if (isEjected(state, now)) ejected += 1;
      if (this.#refused.has(state.server)) special = true;
    }
    if (ejected === 0 && !special) return field;
    const panic = isPanic(ejected, all.length, this.#panicThreshold());
    const candidates = all.filter(
      ({ state }) =>
        (panic || !isEjected(state, now)) &&
        exclude?.includes(state.server) !== true &&
        !this.#refused.has(state.server),
    );
    // Where the traits of all make no difference, those of some make none.
    return { candidates, preference: field.preference && this.#prefer(candidates) };
  }

  /** What traits say of channels may have changed with the settings. */
  forgetPreferences(): void {
    this.#ofChannel.clear();
  }

  /** Why a candidate is not among the possible ones now. */
  reason(candidate: Candidate): Ineligible {
    return this.#refused.has(candidate.state.server) ? 'address_refused' : 'ejected';
  }

  /** ms since the reports, for metrics. */
  reportAgeMs(now: number): { readonly mean: number; readonly oldest: number } {
    let sum = 0;
    let oldest = 0;
    for (const { reportedAt } of this.#reports.values()) {
      sum += now - reportedAt;
      oldest = Math.max(oldest, now - reportedAt);
    }
    return { mean: sum / Math.max(1, this.#reports.size), oldest };
  }

  /**
   * An origin reported its load with an answer. It counts like a report of all its endpoints, until the next one from here
   * or from the registry. Values that it leaves out stay. Ignored within 250 ms of the last report, so that a busy origin
   * costs no more than a busy registry.
   */
  refresh(server: ServerOrigin, { load, packetLoss }: OrcaReport): void {
    if (load === undefined && packetLoss === undefined) return;
    const now = this.#now();
    for (const id of this.#endpointsOf.get(server) ?? []) {
      const before = this.#reports.get(id);
      if (before === undefined || now - before.reportedAt < minRefreshMs) continue;
      const { endpoint } = before;
      const told = { load: load ?? endpoint.load, packetLoss: packetLoss ?? endpoint.packetLoss };
      const candidate: Candidate = { ...before, endpoint: { ...endpoint, ...told }, reportedAt: now };
      this.#reports.set(id, candidate);
      this.#ofChannel.delete(endpoint.channel);
      this.#observer.reported(candidate);
    }
  }

  /** What `addressAllowed` says has changed. */
  judgeAddresses(): void {
    for (const server of this.#endpointsOf.keys()) this.#judge(server);
  }

  close(): void {
    this.#unsubscribe();
  }

  #changed(snapshot: Snapshot, change: SnapshotChange): void {
    const now = this.#now();
    for (const endpoint of change.drop) {
      this.#ofChannel.delete(endpoint.channel);
      if (this.#reports.delete(endpoint.id)) this.#unlink(serverOf(endpoint.address), endpoint.id);
      if (!snapshot.channels.has(endpoint.channel)) this.#observer.channelGone(endpoint.channel);
    }
    for (const endpoint of change.put) {
      this.#ofChannel.delete(endpoint.channel);
      this.#reported(endpoint, now);
    }
  }

  #reported(endpoint: Endpoint, now: number): void {
    const before = this.#reports.get(endpoint.id);
    const server = serverOf(endpoint.address);
    if (before === undefined || before.state.server !== server) {
      if (before !== undefined) this.#unlink(before.state.server, endpoint.id);
      this.#link(server, endpoint.id);
    }
    const fresh = before === undefined || before.endpoint.version !== endpoint.version;
    // A change of nothing but the registration leaves what the origin told since.
    const kept = before && !fresh ? { load: before.endpoint.load, packetLoss: before.endpoint.packetLoss } : undefined;
    const candidate: Candidate = {
      endpoint: kept ? { ...endpoint, ...kept } : endpoint,
      state: this.#states.of(server),
      reportedAt: fresh ? now : before.reportedAt,
      joinedAt: before?.joinedAt ?? now,
    };
    this.#reports.set(endpoint.id, candidate);
    if (fresh) this.#observer.reported(candidate);
  }

  #judge(server: ServerOrigin): void {
    if (this.#addressAllowed(server)) this.#refused.delete(server);
    else if (!this.#refused.has(server)) {
      this.#refused.add(server);
      this.#observer.refused(server);
    }
  }

  #link(server: ServerOrigin, id: EndpointId): void {
    const ids = this.#endpointsOf.get(server);
    if (ids !== undefined) {
      ids.add(id);
      return;
    }
    this.#endpointsOf.set(server, new Set([id]));
    this.#judge(server);
  }

  #unlink(server: ServerOrigin, id: EndpointId): void {
    const ids = this.#endpointsOf.get(server);
    ids?.delete(id);
    this.#observer.dropped(id);
    if (ids === undefined || ids.size > 0) return;
    this.#endpointsOf.delete(server);
    this.#refused.delete(server);
    this.#states.forget(server);
    this.#observer.left(server);
  }
}
