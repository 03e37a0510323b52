// Leads one reader of snapshots from what it has to what is current, in pieces that keep it busy for some milliseconds each.
// What is current may change meanwhile: the next piece leads there from what the reader has by then. So nothing queues for a
// reader that is slow, and it never misses anything.

import type { Endpoint, EndpointId, EndpointRef, Update } from '../model.js';
import type { ChannelChange } from './channels.js';
import { emptySnapshot, type RegistrySnapshot, refOf } from './update.js';

/** Endpoints in a piece, give or take those of some channels. */
const pieceSize = 200;

export interface Reader {
  /**
   * Hands a piece over; `taken` is to be called once, when the reader has room for the next one.
   *
   * @param isLast what is current was reached
   */
  tell(update: Update, isLast: boolean, taken: () => void): void;
}

/** Leads one reader. Sole owner of what that reader has. */
export class Follower {
  readonly #current: () => RegistrySnapshot;
  readonly #reader: Reader;
  #told = emptySnapshot;
  #isTelling = false;
  #waiting: (() => void)[] = [];
  #closed = false;

  /** @param reader who has an empty snapshot now, and hears of nobody else */
  constructor(current: () => RegistrySnapshot, reader: Reader) {
    this.#current = current;
    this.#reader = reader;
  }

  /** What is current may be another one: a first piece is told at once, when none is under way. */
  advance(): void {
    if (this.#isTelling || this.#closed) return;
    const current = this.#current();
    if (current === this.#told) return this.#settle();
    const { update, reached, isLast } = pieceTo(this.#told, current);
    this.#told = reached;
    this.#isTelling = true;
    this.#reader.tell(update, isLast, () => {
      this.#isTelling = false;
      this.advance();
    });
  }

  /** The reader has taken all that is current. */
  get isSettled(): boolean {
    return !this.#isTelling && this.#told === this.#current();
  }

  /** Resolves when the reader has taken all that is current now, or is gone. */
  settled(): Promise<void> {
    if (this.#closed || this.isSettled) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** The reader is gone. */
  close(): void {
    this.#closed = true;
    this.#settle();
  }

  #settle(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** Pure: the next piece of the way from one snapshot to another, and the snapshot that it leads to. */
export function pieceTo(
  from: RegistrySnapshot,
  to: RegistrySnapshot,
  most = pieceSize,
): { update: Update; reached: RegistrySnapshot; isLast: boolean } {
  const { changes, reached, isLast } = from.channels.stepTo(to.channels, most);
  const put: Endpoint[] = [];
  const drop: EndpointRef[] = [];
  for (const change of changes) compareEndpoints(change, put, drop);
  const { revision, state } = isLast ? to : from;
  const update = { kind: 'delta', base: from.revision, revision, state, put, drop } as const;
  return { update, reached: isLast ? to : { revision, state, channels: reached }, isLast };
}

/** An endpoint that did not change is the same object in both, and mostly in the same place. */
function compareEndpoints({ before, after }: ChannelChange, put: Endpoint[], drop: EndpointRef[]): void {
  const [old, now] = [before?.endpoints ?? [], after?.endpoints ?? []];
  const known = new Map<EndpointId, Endpoint>();
  for (const [i, endpoint] of old.entries()) if (endpoint !== now[i]) known.set(endpoint.id, endpoint);
  for (const [i, endpoint] of now.entries()) {
    if (endpoint === old[i]) continue;
    if (known.get(endpoint.id) !== endpoint) put.push(endpoint);
    known.delete(endpoint.id);
  }
  for (const endpoint of known.values()) drop.push(refOf(endpoint));
}
