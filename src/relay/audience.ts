// All viewers of a relay: gives each window to everybody, in batches between which other work gets its turn.

import type { Framing } from './frames.js';
import type { Delivery, Viewer, ViewerPatience } from './viewer.js';
import type { Window } from './window.js';

/** Writes between two turns of the event loop: about a millisecond of work. */
const batch = 256;

export interface AudienceObserver {
  /** Anything but a plain `sent`. */
  onDelivery(viewer: Viewer, delivery: Exclude<Delivery, 'sent' | 'waiting'>): void;
  /** Everybody was given the window. */
  onDelivered(window: Window, sent: Readonly<Record<Framing, number>>): void;
}

export class Audience {
  readonly #viewers = new Set<Viewer>();
  readonly #patience: ViewerPatience;
  readonly #observer: AudienceObserver;
  readonly #now: () => number;
  readonly #queue: { readonly window: Window; readonly limit: number }[] = [];
  #delivering = false;
  #immediate: NodeJS.Immediate | undefined;

  constructor(patience: ViewerPatience, observer: AudienceObserver, now: () => number) {
    this.#patience = patience;
    this.#observer = observer;
    this.#now = now;
  }

  get size(): number {
    return this.#viewers.size;
  }
  get busy(): boolean {
    return this.#delivering;
  }
  [Symbol.iterator](): IterableIterator<Viewer> {
    return this.#viewers.values();
  }

  add(viewer: Viewer): void {
    this.#viewers.add(viewer);
  }

  delete(viewer: Viewer): boolean {
    return this.#viewers.delete(viewer);
  }

  /**
   * Gives everybody the window, after the ones before it; a caller who looks at `busy` first keeps that line short.
   * Viewers who join or leave meanwhile are no trouble: a set's iterator sees the changes, and a viewer knows which
   * windows it already has.
   *
   * @param limit bytes that a viewer's socket may hold
   */
  deliver(window: Window, limit: number): void {
    this.#queue.push({ window, limit });
    if (!this.#delivering) this.#next();
  }

  #next(): void {
    const head = this.#queue.shift();
    this.#delivering = head !== undefined;
    if (head === undefined) return;
    const { window, limit } = head;
    const viewers = this.#viewers.values();
    const sent: Record<Framing, number> = { chunked: 0, raw: 0, websocket: 0, peer: 0 };
    const step = () => {
      this.#immediate = undefined;
      const now = this.#now();
      for (let count = 0; count < batch; count += 1) {
        const { value: viewer, done } = viewers.next();
        if (done === true) {
          this.#next();
          this.#observer.onDelivered(window, sent);
          return;
        }
        const delivery = viewer.take(window, limit, this.#patience, now);
        if (delivery === 'sent') sent[viewer.framing] += 1;
        else if (delivery !== 'waiting') this.#observer.onDelivery(viewer, delivery);
      }
      this.#immediate = setImmediate(step);
    };
    step();
  }

  close(): void {
    clearImmediate(this.#immediate);
    this.#immediate = undefined;
    this.#queue.length = 0;
    this.#delivering = false;
    this.#viewers.clear();
  }
}
