// One answer of an endpoint, shared by all who ask for it: players who come while it arrives get what is there and then
// follow; players who come later get it whole.

import type { IncomingHttpHeaders } from 'node:http';
import { WeirError } from '../../errors.js';
import { ageSecondsOf, type CachePolicy } from '../../upstream/cache-policy.js';
import type { Exchange, UpstreamHandler } from '../../upstream/client.js';
import { isStoredInstead } from '../../upstream/judge.js';
import { ArrivingBody, type Follower } from './arriving-body.js';
import { conditionsOf, renewed } from './conditional.js';
import { type KeepingLimits, type KeepingTerms, type KeepingTermsOf, keepingPolicy } from './freshness.js';
import type { Load, ObjectHead } from './load.js';

export interface ObjectOptions extends KeepingLimits {
  /** Bytes from which on an object is passed through instead of kept. */
  readonly maxObjectBytes: number;
  /** Monotonic ms. */
  readonly now: () => number;
  /** Bytes arrived (or, negative, were let go). */
  readonly weighed: (object: CachedObject, bytes: number) => void;
  /** It is settled whether the object may be kept; called once. */
  readonly settled: (object: CachedObject, outcome: Settled) => void;
}

/** Bytes by which a player may lag behind others with whom it shares an object that is not kept. */
const maxLagBytes = 4 * 1024 * 1024;
const unknownTerms: KeepingTerms = { room: 'asked', minFreshMs: 0, maxFreshMs: 0 };

/** How an object is asked for. */
export interface Wish {
  /** On which it is kept. A function decides from the header; until then the object counts as one that players named. */
  readonly terms: KeepingTerms | KeepingTermsOf;
  /** Told of body bytes that arrive. */
  readonly receive: (bytes: number) => void;
  /** A stored copy that is no longer fresh: it is revalidated, and served when no endpoint answers. */
  readonly previous?: CachedObject | undefined;
}

/** kept: complete and stored. passed: only those who wait for it now may have it. failed: no answer. */
export type Settled = 'kept' | 'passed' | 'failed';

/** One answer, from the question to its eviction. */
export class CachedObject implements UpstreamHandler {
  readonly key: string;
  /** Bytes in memory. */
  sizeBytes = 0;
  /** Bytes received. */
  receivedBytes = 0;
  head: ObjectHead | undefined;
  complete = false;
  error: WeirError | undefined;
  /** The whole body, once complete and kept. */
  body: Buffer | undefined;
  /** Monotonic ms. */
  arrivedAt = 0;
  /** Monotonic ms at which somebody opened it last. For the one who holds stored objects. */
  usedAt = 0;
  /** Monotonic ms at which the answer that this is was asked for. */
  #askedAt = 0;
  policy: CachePolicy = { storable: true, freshForMs: 0, staleIfErrorMs: 0 };
  readonly #options: ObjectOptions;
  /** Bytes of an object that is passed through which wait for the slowest. */
  readonly #maxLagBytes: number;
  readonly #arriving = new ArrivingBody();
  #terms: KeepingTerms;
  #keep = true;
  #paused = false;
  #isSettled = false;
  /** Until it is over: a stored object must not keep its asker, and the copies before it, in memory. */
  #wish: Wish | undefined;
  #exchange: Exchange | undefined;

  constructor(key: string, options: ObjectOptions, wish: Wish) {
    const { terms } = wish;
    this.key = key;
    this.#options = options;
    this.#maxLagBytes = Math.min(maxLagBytes, options.maxObjectBytes);
    this.#wish = wish;
    this.#terms = typeof terms === 'function' ? unknownTerms : terms;
  }

  start(load: Load): void {
    this.#askedAt = this.#options.now();
    const exchange = load(conditionsOf(this.#wish?.previous?.head?.headers), this);
    if (this.pending) this.#exchange = exchange;
  }

  get pending(): boolean {
    return !this.complete && this.error === undefined;
  }

  /** False: too large or not ours to keep. */
  get keeps(): boolean {
    return this.#keep;
  }

  get room(): KeepingTerms['room'] {
    return this.#terms.room;
  }

  /** The whole of what was wanted. */
  get isGood(): boolean {
    return this.complete && (this.head?.status === 200 || this.head?.status === 206);
  }

  get fresh(): boolean {
    return this.complete && this.#options.now() - this.arrivedAt < this.policy.freshForMs;
  }

  /** Seconds since the origin made the answer or confirmed it. */
  get ageSeconds(): number {
    return ageSecondsOf(this.head?.headers, this.#options.now() - this.#askedAt);
  }

  /** Chunks that have arrived, those let go included. */
  get arrived(): number {
    return this.#arriving.arrived;
  }

  /** undefined for one that was let go or has not arrived. */
  chunk(index: number): Buffer | undefined {
    return this.#arriving.chunk(index);
  }

  follow(follower: Follower): void {
    this.#arriving.follow(follower);
  }

  /** The request ends with its last follower. */
  leave(follower: Follower): void {
    if (!this.#arriving.leave(follower)) return;
    if (!this.#arriving.isFollowed && this.pending) {
      this.#exchange?.abort();
      this.#fail(new WeirError('client_gone'));
    } else if (!this.#keep) this.#release();
    this.#dropChunks();
  }

  /** The whole body is here, and no follower reads its chunks any more. */
  #dropChunks(): void {
    if (this.body !== undefined && !this.#arriving.isFollowed) this.#arriving.forget();
  }

  /** A follower has taken more. */
  took(): void {
    if (!this.#keep) this.#release();
  }

  onResponse(status: number, headers: IncomingHttpHeaders): void {
    const previous = this.#wish?.previous;
    if (status === 304 && previous?.head !== undefined) {
      this.#adopt(previous, previous.head, renewed(previous.head.headers, headers));
      return;
    }
    if (isStoredInstead(status) && this.#standIn()) return;
    this.head = { status, headers };
    this.policy = this.#policyFor(status, headers);
    const length = Number(headers['content-length'] ?? 0);
    if (!this.policy.storable || length > this.#options.maxObjectBytes) this.pass();
    this.#arriving.tell();
  }

  onData(chunk: Buffer): boolean {
    if (!this.pending) return true;
    this.#arriving.push(chunk);
    this.sizeBytes += chunk.length;
    this.receivedBytes += chunk.length;
    this.#options.weighed(this, chunk.length);
    this.#wish?.receive(chunk.length);
    if (this.#keep && this.receivedBytes > this.#options.maxObjectBytes) this.pass();
    this.#arriving.tell();
    this.#paused = !this.#keep && this.sizeBytes > this.#maxLagBytes;
    if (!this.#keep) this.#release();
    return !this.#paused;
  }

  onEnd(): void {
    if (!this.pending) return;
    const declared = Number(this.head?.headers['content-length'] ?? this.receivedBytes);
    if (declared !== this.receivedBytes) return this.onError(new WeirError('upstream_cut'));
    this.complete = true;
    this.arrivedAt = this.#options.now();
    if (this.#keep) {
      this.body = this.#arriving.whole(this.sizeBytes);
      this.#settle('kept');
    }
    this.#finished();
    this.#dropChunks();
  }

  onError(error: WeirError): void {
    if (!this.pending) return;
    if (this.head === undefined && this.#standIn()) return;
    this.#fail(error);
  }

  #fail(error: WeirError): void {
    this.error = error;
    this.arrivedAt = this.#options.now();
    this.#settle('failed');
    this.#finished();
    this.#forget();
  }

  /** Gives its bytes back; followers at work keep theirs. */
  #forget(): void {
    this.evict();
    this.#arriving.forget();
  }

  /** For the one who holds stored objects: it leaves the cache. */
  evict(): void {
    this.#options.weighed(this, -this.sizeBytes);
    this.sizeBytes = 0;
  }

  #policyFor(status: number, headers: IncomingHttpHeaders): CachePolicy {
    const { terms } = this.#wish ?? {};
    if (typeof terms === 'function') this.#terms = terms(headers);
    return keepingPolicy(status, headers, this.#terms, this.#options);
  }

  /** Too large, or not allowed to be kept: its present followers share it, and none joins. */
  pass(): void {
    if (!this.#keep || !this.pending) return;
    this.#keep = false;
    this.#settle('passed');
    this.#release();
  }

  #release(): void {
    const most = this.#maxLagBytes;
    this.#letGo();
    while (this.#paused && this.sizeBytes > most && this.#arriving.dropLast()) this.#letGo();
    if (this.#paused && this.sizeBytes <= (this.#arriving.isAwaited ? most : most / 2)) {
      this.#paused = false;
      this.#exchange?.resume();
    }
  }

  /** What all have taken. */
  #letGo(): void {
    const bytes = this.#arriving.release();
    if (bytes === 0) return;
    this.sizeBytes -= bytes;
    this.#options.weighed(this, -bytes);
  }

  /** The stored copy holds: its body under the new header. */
  #adopt(previous: CachedObject, { status }: ObjectHead, headers: IncomingHttpHeaders): void {
    this.head = { status, headers };
    this.policy = this.#policyFor(status, headers);
    this.#takeOver(previous);
  }

  /** The endpoint fails, and the stored copy may stand in for it (RFC 5861). */
  #standIn(): boolean {
    const previous = this.#wish?.previous;
    if (previous?.head === undefined) return false;
    const age = this.#options.now() - previous.arrivedAt - previous.policy.freshForMs;
    if (age > previous.policy.staleIfErrorMs) return false;
    this.head = previous.head;
    this.#askedAt = previous.#askedAt;
    const freshForMs = Math.min(this.#options.errorLifetimeMs, previous.policy.staleIfErrorMs - age);
    this.policy = { ...previous.policy, freshForMs, staleIfErrorMs: previous.policy.staleIfErrorMs - age };
    const exchange = this.#exchange;
    this.#takeOver(previous);
    exchange?.abort();
    return true;
  }

  #takeOver(previous: CachedObject): void {
    this.body = previous.body;
    this.complete = true;
    this.sizeBytes = this.body?.length ?? 0;
    this.#options.weighed(this, this.sizeBytes);
    this.arrivedAt = this.#options.now();
    this.#settle('kept');
    this.#finished();
  }

  /** There is nothing more to come. */
  #finished(): void {
    this.#wish = undefined;
    this.#exchange = undefined;
    this.#arriving.tell();
  }

  #settle(outcome: Settled): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#options.settled(this, outcome);
  }
}
