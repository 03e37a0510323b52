// Shares that hold exactly, without chance: a share is saved up pick by pick, and spent when it makes a whole one.
// Source: token buckets of size one; error diffusion (Bresenham).

import type { ChannelName, EndpointId } from '../model.js';

/** Sums of shares are not exact. */
const rounding = 1e-9;

/** What one endpoint, or one channel's way to other zones, has saved. */
export class Credit {
  #saved: number;

  /** @param saved 0 to 1: a random start keeps edges that start together from walking in step */
  constructor(saved: number) {
    this.#saved = saved;
  }

  /** One pick was made, of which this share belongs here. What nobody wants is not saved beyond one pick and a share. */
  save(share: number): void {
    this.#saved = Math.min(1 + share, this.#saved + share);
  }

  get saved(): number {
    return this.#saved;
  }

  /** A whole pick is saved. */
  get isDue(): boolean {
    return this.#saved >= 1 - rounding;
  }

  spend(): void {
    this.#saved -= 1;
  }
}

/** The credits of a balancer. They outlive the reports of an endpoint, and end with it. */
export class Credits {
  readonly #credits = new Map<EndpointId | ChannelName, Credit>();
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** Made at its first mention. */
  of(owner: EndpointId | ChannelName): Credit {
    let credit = this.#credits.get(owner);
    if (credit === undefined) {
      credit = new Credit(this.#random());
      this.#credits.set(owner, credit);
    }
    return credit;
  }

  forget(owner: EndpointId | ChannelName): void {
    this.#credits.delete(owner);
  }

  get size(): number {
    return this.#credits.size;
  }
}
