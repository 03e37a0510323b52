// Pure: how many frames a viewer may send on its WebSocket. A player of a stream sends none; players and proxies ping.

/** Frames at once, and each second after that. */
const burst = 32;
const perSecond = 4;

/** A token bucket of 32 frames, refilled with 4 per second. */
export class TalkLimit {
  #left = burst;
  #at: number;

  /** @param now monotonic ms */
  constructor(now: number) {
    this.#at = now;
  }

  /** Takes one frame; false where it is one too many. */
  take(now: number): boolean {
    this.#left = Math.min(burst, this.#left + ((now - this.#at) * perSecond) / 1_000) - 1;
    this.#at = now;
    return this.#left >= 0;
  }
}
