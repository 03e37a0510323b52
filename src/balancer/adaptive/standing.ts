// The share of what we have in flight that stands at one place: picks come by our shares, and go as they end.

/** A smaller share counts as this when its change is told as a part of it. */
const LEAST_SHARE = 0.025;

export class Standing {
  #share = 0;
  #marked = 0;
  #intervals = 0;

  get share(): number {
    return this.#share;
  }

  /** Report intervals that were followed. */
  get intervals(): number {
    return this.#intervals;
  }

  /** The change since the last mark, as a part of the mean of then and now: -2 to 2. */
  get change(): number {
    return (this.#share - this.#marked) / Math.max(LEAST_SHARE, (this.#share + this.#marked) / 2);
  }

  /** Changes are told from here on. */
  mark(): void {
    this.#marked = this.#share;
  }

  /**
   * A report interval in which picks went here with this share.
   * @param share undefined when there were none
   * @param kept part of what was in flight before that still is
   */
  follow(share: number | undefined, kept: number): void {
    if (share === undefined) return;
    this.#intervals += 1;
    if (this.#intervals > 1) this.#share = kept * this.#share + (1 - kept) * share;
    else {
      this.#share = share;
      this.mark();
    }
  }
}
