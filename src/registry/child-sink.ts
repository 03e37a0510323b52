// Joins the registry processes that run one after the other into one source.

import type { Endpoint, EndpointId } from '../model.js';
import type { ChildMessage } from './messages.js';
import type { RegistrySink } from './registry.js';

/** Passes on what a child reports, and remembers whether endpoints are known. */
export class ChildSink {
  readonly #ids = new Set<EndpointId>();
  #picture: Endpoint[] = [];
  #live = false;
  /** A complete picture arrived, even an empty one. */
  complete = false;
  /** A process worked: it reported something of the registry. */
  heard = false;

  readonly #sink: RegistrySink;
  readonly #session: (state: string) => void;

  /** @param session called for each change of the session, beside the sink */
  constructor(sink: RegistrySink, session: (state: string) => void) {
    this.#sink = sink;
    this.#session = session;
  }

  get any(): boolean {
    return this.#ids.size > 0;
  }

  /** Keeps the known endpoints. The status becomes stale only if it was live. */
  stale(): void {
    if (this.#live) this.#sink.status('stale');
    this.#live = false;
  }

  receive(message: Extract<ChildMessage, { kind: 'replace' | 'batch' | 'heartbeat' }>): void {
    if (message.kind === 'heartbeat') return;
    this.heard = true;
    if (message.kind === 'replace') this.#replace(message);
    else this.#batch(message);
  }

  /** What a picture has is passed on part by part: all at once would take too long. What it lacks is known at its end. */
  #replace({ first, last, endpoints }: Extract<ChildMessage, { kind: 'replace' }>): void {
    if (first) this.#picture = [];
    for (const endpoint of endpoints) {
      this.#picture.push(endpoint);
      if (last && first) continue;
      this.#ids.add(endpoint.id);
      this.#sink.put(endpoint);
    }
    if (!last) return;
    this.complete = true;
    this.#ids.clear();
    for (const { id } of this.#picture) this.#ids.add(id);
    this.#sink.replace(this.#picture);
    this.#picture = [];
  }

  #batch({ changes, notes, status }: Extract<ChildMessage, { kind: 'batch' }>): void {
    for (const change of changes) {
      if (change.kind === 'put') {
        this.#ids.add(change.endpoint.id);
        this.#sink.put(change.endpoint, change.seenAt);
      } else {
        this.#ids.delete(change.id);
        this.#sink.drop(change.id, change.seenAt);
      }
    }
    for (const note of notes) {
      if (note.kind === 'session') this.#session(note.state);
      this.#sink.note(note);
    }
    if (status === 'live') this.#live = true;
    if (status === 'stale') this.stale();
    else if (status !== undefined) this.#sink.status(status);
  }
}
