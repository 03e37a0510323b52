// The share of what we have in flight that stands at one place: picks come by our shares, and go as they end.

/** A smaller share counts as this when its change is told as a part of it. */
const LEAST_SHARE = 0.025;

export class Standing {
  #share = 0;
  #intervals = 0;

  get share(): number {
    return this.#share;
  }

  /** Report intervals that were followed. */
  get intervals(): number {
    return this.#intervals;
  }

  /**
   * A report interval in which picks went here with this share.
   * @param share undefined when there were none
   * @param kept part of what was in flight before that still is
   * @returns the change, as a part of the mean of before and after: -2 to 2
   */
  follow(share: number | undefined, kept: number): number {
    if (share === undefined) return 0;
    const before = this.#share;
    this.#intervals += 1;
    this.#share = this.#intervals === 1 ? share : kept * before + (1 - kept) * share;
    if (this.#intervals === 1) return 0;
    return (this.#share - before) / Math.max(LEAST_SHARE, (this.#share + before) / 2);
  }
}
