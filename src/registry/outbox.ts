// The messages that the registry process has not sent to its parent yet. They are merged while they wait, so the number of
// endpoints bounds them.

import type { Endpoint, EndpointId } from '../model.js';
import type { Change, ChildMessage } from './messages.js';
import type { RegistryNote, RegistrySink } from './registry.js';

/** Endpoints or changes in one message, so that serializing it takes only a few milliseconds. */
const batchSize = 1_000;
/** Single events that are kept while the parent is slow. Further ones are dropped, since they are only counted. */
const maxNotes = 10_000;
const single: ReadonlySet<RegistryNote['kind']> = new Set(['event', 'skipped', 'unknown_value']);

/** Sends one message; calls `done` when the channel took it. */
export type Send = (message: ChildMessage, done: () => void) => void;

/**
 * A sink that sends in batches, one message under way at a time. Waiting changes are merged: the latest change of an endpoint
 * wins, a `replace` replaces everything before it, and the latest status wins.
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
    // Notes about a state are rare, and must arrive.
    if (this.#notes.length < maxNotes || !single.has(note.kind)) this.#notes.push(note);
    this.#schedule();
  }

  #change(id: EndpointId, change: Change): void {
    this.#changes.delete(id);
    this.#changes.set(id, change);
    this.#schedule();
  }

  /** All changes of one tick are sent together. */
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
    // The status must arrive after all changes before it.
    const status = this.#changes.size === 0 ? this.#state : undefined;
    if (this.#changes.size === 0) this.#state = undefined;
    return { kind: 'batch', changes, notes, status };
  }
}
