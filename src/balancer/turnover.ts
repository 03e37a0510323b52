// How long a pick occupies its server, by Little's law: what is in flight on average ÷ what starts per second. A
// request of a playlist lasts milliseconds, a relay for hours; all are weighted by their bitrate.

/** ms over which the holding time, and what is usually in flight, reach back. */
const memoryMs = 60_000;
const recentSpanMs = 10_000;

/** Mean holding time of picks, and mean traffic in flight. Times in monotonic ms. */
export class Turnover {
  #inFlight = 0;
  #averaged = 0;
  #started = 0;
  #recent = 0;
  #recentTime = 0;
  #at: number | undefined;

  /** kbit/s in flight. */
  get inFlightKbps(): number {
    return this.#inFlight;
  }

  start(kbps: number, now: number): void {
    this.#advance(now);
    this.#inFlight += kbps;
    this.#started += kbps;
  }

  end(kbps: number, now: number): void {
    this.#advance(now);
    this.#inFlight = Math.max(0, this.#inFlight - kbps);
  }

  /** Mean kbit/s in flight lately. */
  get averageKbps(): number {
    return this.#recentTime > 0 ? this.#recent / this.#recentTime : this.#inFlight;
  }

  /** Mean ms that a pick lasts; 0 before the first one. */
  get holdingMs(): number {
    return this.#started > 0 ? this.#averaged / this.#started : 0;
  }

  #advance(now: number): void {
    const elapsedMs = now - (this.#at ?? now);
    if (this.#at === undefined || elapsedMs > 0) this.#at = now;
    if (elapsedMs <= 0) return;
    const keep = Math.exp(-elapsedMs / memoryMs);
    this.#averaged = this.#averaged * keep + this.#inFlight * (1 - keep) * memoryMs;
    this.#started *= keep;
    const kept = Math.exp(-elapsedMs / recentSpanMs);
    this.#recent = this.#recent * kept + this.#inFlight * (1 - kept);
    this.#recentTime = this.#recentTime * kept + (1 - kept);
  }
}
