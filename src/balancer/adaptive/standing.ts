// The share of what we have in flight that stands at one place. Picks come by our shares, and go as they end: what is in
// flight falls by a part of 1 / holding in each unit of time. Source: J. D. C. Little 1961.

/** A smaller share counts as this when its change is told as a part of it. */
const minShare = 0.025;
/** ms that a pick lasts at least. */
const minHoldingMs = 1;

/** A share as it was when it was marked, and what it is now. */
class Mark {
  share: number | undefined;
  #marked: number | undefined;

  /** The change since the mark, as a part of the mean of then and now: -2 to 2. */
  get change(): number {
    const { share = 0 } = this;
    const before = this.#marked ?? share;
    return (share - before) / Math.max(minShare, (share + before) / 2);
  }

  mark(): void {
    this.#marked = this.share;
  }
}

/** The share, 0 to 1, of what we have in flight that is at one source, from one report to the next. */
export class Standing {
  /** Over the last report interval, and at its end. */
  readonly mean = new Mark();
  readonly end = new Mark();
  /** Report intervals with something in flight. */
  intervals = 0;
  /** kbit/s in flight of the picks for which it was a candidate, and of these what our shares put here. */
  #all = 0;
  #here = 0;
  // The same × ms since the last report.
  #allArea = 0;
  #hereArea = 0;
  #at: number | undefined;

  /** A pick of `kbps` of which this share goes here. */
  add(share: number, kbps: number, now: number, holdingMs: number): void {
    this.#advance(now, holdingMs);
    this.#all += kbps;
    this.#here += share * kbps;
  }

  /** A report: the interval ends. */
  close(now: number, holdingMs: number): void {
    this.#advance(now, holdingMs);
    if (this.#allArea > 0) {
      this.intervals += 1;
      this.mean.share = this.#hereArea / this.#allArea;
      this.end.share = this.#here / this.#all;
    }
    this.#allArea = 0;
    this.#hereArea = 0;
  }

  mark(): void {
    this.mean.mark();
    this.end.mark();
  }

  #advance(now: number, holdingMs: number): void {
    const elapsedMs = now - (this.#at ?? now);
    this.#at = now;
    if (!(elapsedMs > 0)) return;
    const lasts = Math.max(minHoldingMs, holdingMs);
    const kept = lasts / (lasts + elapsedMs);
    this.#all *= kept;
    this.#here *= kept;
    this.#allArea += this.#all * elapsedMs;
    this.#hereArea += this.#here * elapsedMs;
  }
}
