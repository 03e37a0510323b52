// All viewers of a relay. Each batch is given to all of them, a bounded number per turn of the event loop.

import type { Batch } from './batch.js';
import type { Framing } from './frames.js';
import type { Delivery, Viewer, ViewerPatience } from './viewer.js';

/** Writes in one turn of the event loop: about a millisecond of work. */
const maxWritesPerTurn = 256;

/** How the relay hears of what a batch came to. */
export interface AudienceObserver {
  /** Anything but a plain `sent`. */
  onDelivery(viewer: Viewer, delivery: Exclude<Delivery, 'sent' | 'waiting'>): void;
  /** Everybody was given the batch, so many in each framing as a plain `sent`. */
  onDelivered(batch: Batch, sent: Readonly<Record<Framing, number>>): void;
}

const nobody = (): Record<Framing, number> => ({ chunked: 0, raw: 0, websocket: 0, peer: 0 });

/** Given batches one after the other; each viewer gets each at most once, and in order. */
export class Audience {
  readonly #viewers = new Set<Viewer>();
  readonly #patience: ViewerPatience;
  readonly #observer: AudienceObserver;
  readonly #now: () => number;
  readonly #queue: { readonly batch: Batch; readonly maxBytes: number }[] = [];
  #delivering = false;
  #immediate: NodeJS.Immediate | undefined;

  /** @param now monotonic ms */
  constructor(patience: ViewerPatience, observer: AudienceObserver, now: () => number) {
    this.#patience = patience;
    this.#observer = observer;
    this.#now = now;
  }

  get size(): number {
    return this.#viewers.size;
  }
  /** A batch is being given out. */
  get busy(): boolean {
    return this.#delivering;
  }
  [Symbol.iterator](): IterableIterator<Viewer> {
    return this.#viewers.values();
  }

  /** How many there are, by framing. */
  count(): Readonly<Record<Framing, number>> {
    const count = nobody();
    for (const { framing } of this.#viewers) count[framing] += 1;
    return count;
  }

  add(viewer: Viewer): void {
    this.#viewers.add(viewer);
  }

  delete(viewer: Viewer): boolean {
    return this.#viewers.delete(viewer);
  }

  /**
   * Gives everybody the batch, after the ones before it; a caller who looks at `busy` first keeps that line short.
   * Viewers who join or leave meanwhile are no trouble: a set's iterator sees the changes, and a viewer knows which
   * batches it already has.
   *
   * @param maxBytes that a viewer's socket may hold
   */
  deliver(batch: Batch, maxBytes: number): void {
    this.#queue.push({ batch, maxBytes });
    if (!this.#delivering) this.#next();
  }

  #next(): void {
    const head = this.#queue.shift();
    this.#delivering = head !== undefined;
    if (head === undefined) return;
    const { batch, maxBytes } = head;
    const viewers = this.#viewers.values();
    const sent = nobody();
    const step = () => {
      this.#immediate = undefined;
      const now = this.#now();
      for (let count = 0; count < maxWritesPerTurn; count += 1) {
        const { value: viewer, done } = viewers.next();
        if (done === true) {
          this.#next();
          this.#observer.onDelivered(batch, sent);
          return;
        }
        const delivery = viewer.take(batch, maxBytes, this.#patience, now);
        if (delivery === 'sent') sent[viewer.framing] += 1;
        else if (delivery !== 'waiting') this.#observer.onDelivery(viewer, delivery);
      }
      this.#immediate = setImmediate(step);
    };
    step();
  }

  /** Nobody is given anything any more. The viewers are not told. */
  close(): void {
    clearImmediate(this.#immediate);
    this.#immediate = undefined;
    this.#queue.length = 0;
    this.#delivering = false;
    this.#viewers.clear();
  }
}
