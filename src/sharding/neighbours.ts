// The edges of the site, and which of them a channel is taken from: its owner, unless it cannot be reached or has failed this
// channel lately. Then the next one has it, and after that the origins.

import type { AvoidCause } from '../metrics.js';
import type { ChannelName } from '../model.js';
import { Avoidances } from './avoidances.js';
import { owningEdge, type SiteEdge } from './owner.js';

/** The edges that take channels from each other. */
export interface Site {
  /** The name of this edge. */
  readonly self: string;
  /** Those that are there now, this one among them unless it is about to end. */
  readonly edges: readonly SiteEdge[];
}

export interface NeighboursTools {
  /** Monotonic ms. */
  readonly now: () => number;
  /** Whether the edge can be connected to and proves that it belongs to the fleet. Never rejects. */
  readonly probe: (edge: SiteEdge) => Promise<boolean>;
  /** Another edge may have these channels now. Called in a turn of its own. */
  readonly changed: (channels: ReadonlySet<ChannelName> | 'all') => void;
  /** An edge is avoided from now on. */
  readonly avoided: (cause: AvoidCause) => void;
}

/** Edges of a site at most; what is beyond is not looked at. */
const maxEdges = 1_000;
/** Channels that an edge failed lately, at most. */
const maxFailures = 10_000;
/** Edges that are tried for a channel before it is taken from the origins. */
const triedEdges = 2;
/** ms between two looks for what need not be avoided any more. */
const lookIntervalMs = 250;

/** Sole owner of which edge is avoided, in this process. Its timer runs only while one is. */
export class Neighbours {
  readonly #tools: NeighboursTools;
  #self = '';
  #edges: readonly SiteEdge[] = [];
  /** Those that can be reached. */
  #usable: readonly SiteEdge[] = [];
  readonly #unreachable = new Avoidances(maxEdges);
  /** By channel and edge. */
  readonly #failures = new Avoidances(maxFailures);
  /** The edges that failed each channel lately. */
  readonly #failed = new Map<ChannelName, readonly string[]>();
  readonly #probed = new Set<string>();
  #dirty: Set<ChannelName> | 'all' | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(tools: NeighboursTools) {
    this.#tools = tools;
  }

  /** The name of this edge; empty while it is not known. */
  get self(): string {
    return this.#self;
  }

  /** All edges of the site but this one. */
  get others(): readonly SiteEdge[] {
    return this.#edges.filter(({ name }) => name !== this.#self);
  }

  /** These edges are there now. */
  set({ self, edges: given }: Site): void {
    const edges = given.slice(0, maxEdges);
    const before = new Map(this.#edges.map(({ name, address }) => [name, address]));
    const isSame =
      self === this.#self &&
      edges.length === this.#edges.length &&
      edges.every(({ name, address }) => before.get(name) === address);
    if (isSame) return;
    this.#self = self;
    this.#edges = edges;
    // One that is gone, or has come back elsewhere, begins anew.
    const after = new Map(edges.map(({ name, address }) => [name, address]));
    for (const [name, address] of before) if (after.get(name) !== address) this.#unreachable.delete(name);
    this.#sortOut();
    this.#mark('all');
  }

  /** The edge that the channel is taken from; undefined: this edge takes it from the origins. */
  ownerOf(channel: ChannelName): SiteEdge | undefined {
    const failed = this.#failed.get(channel) ?? [];
    if (failed.length >= triedEdges) return undefined;
    const edges = failed.length === 0 ? this.#usable : this.#usable.filter(({ name }) => !failed.includes(name));
    const owner = owningEdge(channel, edges);
    return owner?.name === this.#self ? undefined : owner;
  }

  /** Another number each time the edge may be tried again for the channel. */
  generation(channel: ChannelName, name: string): number {
    return this.#unreachable.times(name) + this.#failures.times(keyOf(channel, name));
  }

  /** The edge refused this channel, or ended or lost it. */
  failed(channel: ChannelName, name: string): void {
    const key = keyOf(channel, name);
    if (this.#failures.has(key)) return;
    this.#tools.avoided('failed');
    const forgotten = this.#failures.add(key, this.#tools.now());
    if (forgotten !== undefined) this.#mayTryAgain(forgotten);
    this.#failed.set(channel, [...(this.#failed.get(channel) ?? []), name]);
    this.#mark(channel);
    this.#lookOften();
    // Perhaps it is gone altogether.
    this.#probe(name);
  }

  /** The edge could not be connected to. */
  unreachable(name: string): void {
    if (this.#unreachable.has(name) || !this.#edges.some((edge) => edge.name === name)) return;
    this.#tools.avoided('unreachable');
    this.#unreachable.add(name, this.#tools.now());
    this.#lookOften();
    if (this.#sortOut()) this.#mark('all');
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = this.#tools.now();
    for (const key of this.#failures.expire(now)) this.#mayTryAgain(key);
    // It is used again only when it answers: no stream is to find out.
    for (const name of this.#unreachable.expire(now)) this.#probe(name);
    if (this.#failures.size + this.#unreachable.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #lookOften(): void {
    this.#timer ??= setInterval(() => this.#look(), lookIntervalMs);
  }

  #mayTryAgain(key: string): void {
    const { channel, name } = partsOf(key);
    const left = (this.#failed.get(channel) ?? []).filter((other) => other !== name);
    if (left.length === 0) this.#failed.delete(channel);
    else this.#failed.set(channel, left);
    this.#mark(channel);
  }

  #probe(name: string): void {
    const edge = this.#edges.find((each) => each.name === name);
    if (edge === undefined || this.#probed.has(name)) return;
    this.#probed.add(name);
    void this.#tools.probe(edge).then((answers) => {
      this.#probed.delete(name);
      if (this.#closed) return;
      if (!answers) return this.unreachable(name);
      if (this.#sortOut()) this.#mark('all');
    });
  }

  /** One that could not be reached, and is being looked at, is not used yet. Returns whether others are used now. */
  #sortOut(): boolean {
    const before = new Set(this.#usable.map(({ name }) => name));
    this.#usable = this.#edges.filter(({ name }) => {
      if (name === this.#self) return true;
      if (this.#unreachable.has(name)) return false;
      return !this.#probed.has(name) || before.has(name);
    });
    return before.size !== this.#usable.length || !this.#usable.every(({ name }) => before.has(name));
  }

  #mark(what: ChannelName | 'all'): void {
    const isTold = this.#dirty !== undefined;
    if (what === 'all') this.#dirty = 'all';
    else if (this.#dirty !== 'all') this.#dirty = (this.#dirty ?? new Set<ChannelName>()).add(what);
    if (isTold) return;
    queueMicrotask(() => {
      const dirty = this.#dirty ?? 'all';
      this.#dirty = undefined;
      if (!this.#closed) this.#tools.changed(dirty);
    });
  }
}

const keyOf = (channel: ChannelName, name: string) => `${name}\n${channel}`;
function partsOf(key: string): { channel: ChannelName; name: string } {
  const at = key.indexOf('\n');
  return { name: key.slice(0, at), channel: key.slice(at + 1) as ChannelName };
}
