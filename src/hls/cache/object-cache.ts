// Segments, initialisation sections and keys in memory: fetched once, evicted by least recent use, bounded in bytes.

import type { IncomingHttpHeaders } from 'node:http';
import { CachedObject, type ObjectOptions, type Settled, type Wish } from './cached-object.js';
import type { KeepingTerms, KeepingTermsOf } from './freshness.js';
import type { Load } from './load.js';

export interface CacheSettings {
  /** Bytes of all objects, those that arrive included. */
  readonly maxBytes: number;
  /** Bytes from which on an object is passed through. */
  readonly maxObjectBytes: number;
  /** ms that a stored object may stand in for an endpoint that fails, where its header does not say less. */
  readonly staleIfErrorMs: number;
  /** ms that an error is answered again without asking. */
  readonly errorLifetimeMs: number;
}

/** hit: complete and fresh. joined: under way for somebody else. miss: asked for now. */
export type Lookup = 'hit' | 'joined' | 'miss';

export interface OpenOptions {
  /** Default: by the header, among what players ask for. */
  readonly terms?: KeepingTerms | KeepingTermsOf;
  /** Monotonic ms: what arrived since is used, whatever its header says, and nothing older without a question back. */
  readonly since?: number;
  /** Told of body bytes that come from elsewhere than an endpoint. */
  readonly receive?: Wish['receive'];
}

/** What an object costs beside its body, its key and its header, about: itself, its policy, its buffer, its place in a map. */
const overheadBytes = 2048;
/** ms after the last eviction from which on there is room again. */
const pressureForMs = 30_000;
/** Part of the room that objects may take which only players named, while there are others. */
const askedShare = 0.25;

/** Kept among what players ask for, for as long as the header says. */
export const byHeader: KeepingTerms = { room: 'asked', minFreshMs: 0, maxFreshMs: Number.POSITIVE_INFINITY };

/** All objects of a process. Listed objects, within their share, are never evicted for objects that only players named. */
export class ObjectCache {
  readonly #settings: CacheSettings;
  /** Objects that playlists list, and others that players asked for: the first are never evicted for the second. */
  readonly #rooms = { listed: new CacheSection(), asked: new CacheSection() };
  readonly #underWay = new Map<string, CachedObject>();
  readonly #options: ObjectOptions;
  /** Told of what endpoints send. */
  readonly #receive: Wish['receive'];
  /** Of bodies, stored and under way. */
  #bytes = 0;
  /** Of those under way that only players named. */
  #askedBytes = 0;
  /** The last listed object that had to leave: when, and for how long nobody had used it. Monotonic ms. */
  #left: { readonly at: number; readonly idleMs: number } | undefined;

  constructor(
    settings: CacheSettings,
    { receive, ...clocks }: Pick<ObjectOptions, 'now' | 'clock'> & Pick<Wish, 'receive'>,
  ) {
    this.#settings = settings;
    this.#receive = receive;
    this.#options = {
      ...settings,
      ...clocks,
      weighed: (object, bytes) => this.#weighed(object, bytes),
      settled: (object, outcome) => this.#settled(object, outcome),
    };
  }

  get bytes(): number {
    const { listed, asked } = this.#rooms;
    return this.#bytes + listed.keptBytes + asked.keptBytes;
  }

  get objects(): number {
    return this.#rooms.listed.objects.size + this.#rooms.asked.objects.size;
  }

  /** A whole object, however old. Counts as a use of it. */
  stored(key: string): CachedObject | undefined {
    const object = this.#get(key);
    return object?.isGood === true ? this.#use(object) : undefined;
  }

  /** True while a listed object stays for so many ms though no player uses it. */
  lasts(timeMs: number): boolean {
    return (
      this.#left === undefined || this.#left.idleMs >= timeMs || this.#options.now() - this.#left.at >= pressureForMs
    );
  }

  /** True when it is here, however old, or on its way. */
  holds(key: string): boolean {
    return this.#underWay.has(key) || this.#get(key)?.isGood === true;
  }

  /** The object, asked for when it is neither here nor on its way. The caller follows it, or leaves it to itself. */
  open(key: string, load: Load, options: OpenOptions = {}): { object: CachedObject; lookup: Lookup } {
    const { terms = byHeader, since, receive = this.#receive } = options;
    const stored = this.#get(key);
    if (stored !== undefined && this.#isUsable(stored, since)) return { object: this.#use(stored), lookup: 'hit' };
    const underWay = this.#underWay.get(key);
    if (underWay !== undefined) return { object: underWay, lookup: 'joined' };
    const previous = stored?.isGood === true ? stored : undefined;
    const object = new CachedObject(key, this.#options, { terms, receive, previous });
    this.#underWay.set(key, object);
    object.start(load);
    return { object, lookup: 'miss' };
  }

  #isUsable(object: CachedObject, since: number | undefined): boolean {
    if (object.error !== undefined) return this.#options.now() - object.arrivedAt < this.#settings.errorLifetimeMs;
    return object.isGood && since !== undefined ? object.arrivedAt >= since : object.fresh;
  }

  #get(key: string): CachedObject | undefined {
    return this.#rooms.listed.objects.get(key) ?? this.#rooms.asked.objects.get(key);
  }

  #use(object: CachedObject): CachedObject {
    const { objects } = this.#rooms[object.room];
    objects.delete(object.key);
    objects.set(object.key, object);
    object.usedAt = this.#options.now();
    return object;
  }

  #weighed(object: CachedObject, bytes: number): void {
    this.#bytes += bytes;
    if (object.room !== 'asked' || this.#underWay.get(object.key) !== object) return;
    this.#askedBytes += bytes;
    // Many objects that arrive at once would take as much memory as many that are stored.
    if (bytes > 0 && this.#askedBytes > askedShare * this.#settings.maxBytes) object.pass();
  }

  #settled(object: CachedObject, outcome: Settled): void {
    const { key } = object;
    if (this.#underWay.get(key) === object) {
      this.#underWay.delete(key);
      if (object.room === 'asked') this.#askedBytes -= object.sizeBytes;
    }
    if (outcome === 'passed') return;
    // A player left, or another worker died: that is no failure of the object.
    const { side } = object.error ?? {};
    if (outcome === 'failed' && (side === 'client' || side === 'internal')) return;
    const before = this.#get(key);
    if (before !== undefined) this.#evict(before);
    object.usedAt = this.#options.now();
    this.#rooms[object.room].add(object);
    while (this.bytes > this.#settings.maxBytes) {
      const leaving = this.#leastNeeded(object);
      if (leaving === undefined) break;
      const at = this.#options.now();
      if (leaving.room === 'listed') this.#left = { at, idleMs: at - leaving.usedAt };
      this.#evict(leaving);
    }
  }

  #leastNeeded(except: CachedObject): CachedObject | undefined {
    const { listed, asked } = this.#rooms;
    const isLarge = asked.bytes > askedShare * this.#settings.maxBytes;
    const [first, second] = isLarge ? [asked, listed] : [listed, asked];
    return first.oldest(except) ?? second.oldest(except);
  }

  #evict(object: CachedObject): void {
    this.#rooms[object.room].delete(object);
    object.evict();
  }
}

/** Complete objects, the least recently used first. */
class CacheSection {
  readonly objects = new Map<string, CachedObject>();
  keptBytes = 0;
  #bodyBytes = 0;

  get bytes(): number {
    return this.keptBytes + this.#bodyBytes;
  }

  add(object: CachedObject): void {
    this.objects.set(object.key, object);
    this.keptBytes += overheadOf(object);
    this.#bodyBytes += object.sizeBytes;
  }

  delete(object: CachedObject): void {
    this.objects.delete(object.key);
    this.keptBytes -= overheadOf(object);
    this.#bodyBytes -= object.sizeBytes;
  }

  oldest(except: CachedObject): CachedObject | undefined {
    for (const object of this.objects.values()) if (object !== except) return object;
    return undefined;
  }
}

function overheadOf({ key, head }: CachedObject): number {
  return overheadBytes + key.length + headerLength(head?.headers ?? {});
}

function headerLength(headers: IncomingHttpHeaders): number {
  let length = 0;
  for (const name in headers) length += name.length + String(headers[name]).length;
  return length;
}
