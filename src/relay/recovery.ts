// What the failures of a relay's pulls add up to: which servers are passed over, how long until they are tried again, and
// when viewers are held no longer. A pull that delivers what is new ends the trouble; one that only replays does not.

import type { EndpointId, ServerOrigin } from '../model.js';
import { FailedServers } from './failed-servers.js';
import { Grace } from './grace.js';

const firstBackoff = 250;
const longestBackoff = 2_000;
/** A pull that delivered for this long starts the next failover with a clean slate, in ms. */
const longLife = 10_000;
/** New pictures by which a pull proves sooner that it does not replay what it has. */
const proofPictures = 5;

export class Recovery {
  readonly failed = new FailedServers();
  readonly #grace: Grace;
  readonly #now: () => number;
  #backoff = firstBackoff;
  #liveSince = 0;
  #news = 0;
  /** The grace runs because the endpoint left the registry, and not only because of failures. */
  #deregistered = false;

  /** @param grace ms that viewers are held; @param onOver nobody delivers, and the time is over */
  constructor(grace: number, now: () => number, onOver: () => void) {
    this.#grace = new Grace(grace, onOver);
    this.#now = now;
  }

  /** Whether the current pull delivers what is new. */
  get isProven(): boolean {
    return this.#news >= proofPictures || this.#livedLong;
  }

  /** Whether `onNewPicture` is worth a call. */
  get wantsNews(): boolean {
    return this.#news < proofPictures;
  }

  /** Another pull delivers from now on. */
  onLive(): void {
    this.#liveSince = this.#now();
    this.#news = 0;
    this.#deregistered = false;
  }

  /** It delivered a picture that viewers had not got before. */
  onNewPicture(): void {
    this.#news += 1;
    if (this.isProven) this.#settle();
  }

  /** The pull that delivered failed. */
  onLost(server: ServerOrigin, by: EndpointId): void {
    if (this.#livedLong) this.failed.clear();
    if (this.isProven) this.#settle();
    this.failed.add(server, by);
    this.#deregistered = false;
    this.#grace.start();
  }

  /** The endpoint that delivers left the registry. */
  onDeregistered(): void {
    this.#deregistered = true;
    this.#grace.start();
  }

  /** It is registered again. */
  onRegistered(): void {
    this.#deregistered = false;
    if (this.isProven) this.#settle();
  }

  /** There is nobody to try. Returns ms until those who failed get another chance; undefined: they had enough. */
  nextTry(): number | undefined {
    if (this.#grace.over) return undefined;
    this.failed.clear();
    const wait = this.#backoff;
    this.#backoff = Math.min(this.#backoff * 2, longestBackoff);
    return wait;
  }

  close(): void {
    this.#grace.stop();
  }

  get #livedLong(): boolean {
    return this.#now() - this.#liveSince >= longLife;
  }

  #settle(): void {
    this.#backoff = firstBackoff;
    if (!this.#deregistered) this.#grace.stop();
  }
}
