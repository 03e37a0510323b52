// What the registry process still has to tell its parent, merged while it waits: bounded by the number of endpoints.

import type { Endpoint, EndpointId } from '../model.js';
import type { Change, ChildMessage } from './messages.js';
import type { RegistryNote, RegistrySink } from './registry.js';

/** Endpoints or changes in one message: serialising it stays in the low milliseconds. */
const batchSize = 1_000;
/** Notes of single things kept while the parent is slow; further ones are dropped, as they are only counted. */
const maxNotes = 10_000;
const single: ReadonlySet<RegistryNote['kind']> = new Set(['event', 'skipped', 'unknown_value']);

/** Sends one message; `done` when the channel took it. */
export type Send = (message: ChildMessage, done: () => void) => void;

/**
 * A sink that sends what it is told in batches, one message under way at a time. What waits is merged: the latest
 * change of an endpoint wins, a `replace` takes the place of all before it, and so does the latest status.
 */
export class Outbox implements RegistrySink {
  #picture: Endpoint[] | undefined;
  /** How much of `picture` was sent. */
  #sent = 0;
  #changes = new Map<EndpointId, Change>();
  #notes: RegistryNote[] = [];
  #state: 'live' | 'stale' | undefined;
  #sending = false;
  #scheduled = false;
  readonly #send: Send;

  constructor(send: Send) {
    this.#send = send;
  }

  replace(all: Iterable<Endpoint>): void {
    this.#picture = [...all];
    this.#sent = 0;
    this.#changes.clear();
    this.#schedule();
  }

  put(endpoint: Endpoint, seenAt?: number): void {
    this.#change(endpoint.id, { kind: 'put', endpoint, seenAt });
  }

  drop(id: EndpointId, seenAt?: number): void {
    this.#change(id, { kind: 'drop', id, seenAt });
  }

  status(state: 'live' | 'stale'): void {
    this.#state = state;
    this.#schedule();
  }

  note(note: RegistryNote): void {
    // What tells of a state comes seldom, and has to arrive.
    if (this.#notes.length < maxNotes || !single.has(note.kind)) this.#notes.push(note);
    this.#schedule();
  }

  #change(id: EndpointId, change: Change): void {
    this.#changes.delete(id);
    this.#changes.set(id, change);
    this.#schedule();
  }

  /** A tick's changes travel together. */
  #schedule(): void {
    if (this.#scheduled || this.#sending) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    const message = this.#next();
    this.#sending = message !== undefined;
    if (message !== undefined) this.#send(message, () => this.#flush());
  }

  #next(): ChildMessage | undefined {
    const picture = this.#picture;
    if (picture !== undefined) {
      const first = this.#sent === 0;
      const endpoints = picture.slice(this.#sent, this.#sent + batchSize);
      this.#sent += endpoints.length;
      const last = this.#sent === picture.length;
      if (last) this.#picture = undefined;
      return { kind: 'replace', first, last, endpoints };
    }
    if (this.#changes.size === 0 && this.#notes.length === 0 && this.#state === undefined) return undefined;
    const changes: Change[] = [];
    for (const [id, change] of this.#changes) {
      if (changes.length === batchSize) break;
      changes.push(change);
      this.#changes.delete(id);
    }
    const notes = this.#notes.splice(0, batchSize);
    // The status is about all that was told before it.
    const status = this.#changes.size === 0 ? this.#state : undefined;
    if (this.#changes.size === 0) this.#state = undefined;
    return { kind: 'batch', changes, notes, status };
  }
}
