// How long a playlist is used without asking its endpoint again, and how long an old one is served while endpoints fail.

/** The state of one playlist. All times are monotonic ms. */
export class PlaylistFreshness {
  readonly #now: () => number;
  readonly #graceMs: () => number;
  #until = Number.NEGATIVE_INFINITY;
  /** Until then it is not read again, since reading it cost much. */
  #restsUntil = Number.NEGATIVE_INFINITY;
  #failingSince: number | undefined;

  /** @param graceMs for how long an old playlist stands in; `hls.grace` */
  constructor(now: () => number, graceMs: () => number) {
    this.#now = now;
    this.#graceMs = graceMs;
  }

  /** Whether it can be served without asking the endpoint. */
  get isFresh(): boolean {
    return this.#now() < Math.max(this.#until, this.#restsUntil);
  }

  /** It is not even read again. */
  get rests(): boolean {
    return this.#now() < this.#restsUntil;
  }

  /** It was asked for here, and the endpoint answered last. */
  get isOwn(): boolean {
    return this.#until !== Number.NEGATIVE_INFINITY && this.#failingSince === undefined;
  }

  /** An old playlist may still be given. */
  get isWithinGrace(): boolean {
    return this.#failingSince === undefined || this.#now() - this.#failingSince < this.#graceMs();
  }

  /** @param until when it is asked for again; @param restMs for how long it is not read again, whatever happens */
  answered(until: number, restMs: number): void {
    this.#until = until;
    this.#restsUntil = this.#now() + restMs;
    this.#failingSince = undefined;
  }

  /** No endpoint gave it. @param retryMs after which one is asked again */
  failed(retryMs: number): void {
    this.#failingSince ??= this.#now();
    this.#until = this.#now() + retryMs;
  }

  /** The next ordinary request asks the endpoint. */
  distrust(): void {
    this.#until = Number.NEGATIVE_INFINITY;
  }

  /** The endpoint is another one: the next request asks it. */
  expire(): void {
    this.#until = Number.NEGATIVE_INFINITY;
    this.#restsUntil = Number.NEGATIVE_INFINITY;
  }
}
