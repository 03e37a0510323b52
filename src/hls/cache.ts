// Segments, initialisation sections and keys in memory: fetched once, evicted by least recent use, bounded in bytes.

import { CachedObject, type Load, type ObjectOptions, type Settled } from './cached-object.js';

export interface CacheSettings {
  /** Bytes of all objects, those that arrive included. */
  readonly maxBytes: number;
  /** Bytes from which on an object is passed through. */
  readonly maxObject: number;
  /** ms that a stored object may stand in for an endpoint that fails, where its header does not say less. */
  readonly staleIfError: number;
  /** ms that an error is answered again without asking. */
  readonly errorLifetime: number;
}

/** hit: complete and fresh. joined: under way for somebody else. miss: asked for now. */
export type Lookup = 'hit' | 'joined' | 'miss';

export interface OpenOptions {
  /** ms for which it may be used again at most; default: as long as its header says. */
  readonly maxAge?: number;
  /** ms for which it is used again whatever its header says; default 0. */
  readonly minAge?: number;
  /** Told of body bytes that come from elsewhere than an endpoint. */
  readonly receive?: ObjectOptions['receive'];
}

/** What an object costs beside its body: the key, the header, the entry. */
const overhead = 1024;

export class ObjectCache {
  readonly #settings: CacheSettings;
  /** Complete objects, the least recently used first. */
  readonly #stored = new Map<string, CachedObject>();
  readonly #underWay = new Map<string, CachedObject>();
  readonly #options: ObjectOptions;
  #bytes = 0;

  constructor(settings: CacheSettings, hooks: Pick<ObjectOptions, 'now' | 'clock' | 'receive'>) {
    this.#settings = settings;
    this.#options = {
      ...settings,
      ...hooks,
      weighed: (bytes) => {
        this.#bytes += bytes;
      },
      settled: (object, outcome) => this.#settled(object, outcome),
    };
  }

  get bytes(): number {
    return this.#bytes + this.#stored.size * overhead;
  }

  get objects(): number {
    return this.#stored.size;
  }

  /** A complete object that needs no question back, or is younger than `minAge` ms. Counts as a use of it. */
  fresh(key: string, minAge = 0): CachedObject | undefined {
    const object = this.#stored.get(key);
    if (object === undefined || !(object.fresh || this.#isYounger(object, minAge))) return undefined;
    this.#stored.delete(key);
    this.#stored.set(key, object);
    return object;
  }

  /** True when a request for it would be answered without the endpoint, or is being answered. */
  holds(key: string): boolean {
    const object = this.#stored.get(key);
    return this.#underWay.has(key) || (object?.error === undefined && object?.fresh === true);
  }

  /** The object, asked for when it is neither here nor on its way. The caller follows it, or leaves it to itself. */
  open(key: string, load: Load, options: OpenOptions = {}): { object: CachedObject; lookup: Lookup } {
    const { maxAge = Number.POSITIVE_INFINITY, minAge = 0, receive = this.#options.receive } = options;
    const fresh = this.fresh(key, minAge);
    if (fresh !== undefined) return { object: fresh, lookup: 'hit' };
    const underWay = this.#underWay.get(key);
    if (underWay !== undefined) return { object: underWay, lookup: 'joined' };
    const failed = this.#stored.get(key);
    if (failed?.error !== undefined && this.#options.now() - failed.arrivedAt < this.#settings.errorLifetime) {
      return { object: failed, lookup: 'hit' };
    }
    const stale =
      failed?.error === undefined && failed?.head !== undefined && failed.head.status < 400 ? failed : undefined;
    const object = new CachedObject(key, { ...this.#options, receive }, maxAge, stale);
    this.#underWay.set(key, object);
    object.start(load);
    return { object, lookup: 'miss' };
  }

  #isYounger(object: CachedObject, age: number): boolean {
    return object.complete && object.head?.status === 200 && this.#options.now() - object.arrivedAt < age;
  }

  #settled(object: CachedObject, outcome: Settled): void {
    const { key } = object;
    if (this.#underWay.get(key) === object) this.#underWay.delete(key);
    if (outcome === 'passed') return;
    // Somebody left, or another worker died: that says nothing about the object.
    const { side } = object.error ?? {};
    if (outcome === 'failed' && (side === 'client' || side === 'internal')) return;
    const before = this.#stored.get(key);
    this.#stored.delete(key);
    before?.evict();
    this.#stored.set(key, object);
    for (const [oldest, old] of this.#stored) {
      if (this.bytes <= this.#settings.maxBytes || old === object) break;
      this.#stored.delete(oldest);
      old.evict();
    }
  }
}
