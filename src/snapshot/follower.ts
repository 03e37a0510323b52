// Brings one reader from the snapshot it has to the current one, in pieces that keep it busy for some milliseconds each. The
// current snapshot may change meanwhile: the next piece leads from what the reader has by then to the new one. So nothing
// queues for a slow reader, and it never misses a change.

import type { Endpoint, EndpointId, EndpointRef, Update } from '../model.js';
import type { ChannelChange } from './channels.js';
import { emptySnapshot, type RegistrySnapshot, refOf } from './update.js';

/** Endpoints in a piece, give or take those of some channels. */
const pieceSize = 100;

export interface SnapshotReader {
  /**
   * Hands a piece over. `taken` must be called once, when the reader is ready for the next piece.
   *
   * @param isLast the piece leads to the current snapshot
   */
  send(update: Update, isLast: boolean, taken: () => void): void;
}

/** Brings one reader up to date. Sole owner of what that reader has. */
export class SnapshotFollower {
  readonly #current: () => RegistrySnapshot;
  readonly #reader: SnapshotReader;
  #sent = emptySnapshot;
  #isSending = false;
  #waiting: (() => void)[] = [];
  #closed = false;

  /** @param reader has an empty snapshot now, and gets updates only from here */
  constructor(current: () => RegistrySnapshot, reader: SnapshotReader) {
    this.#current = current;
    this.#reader = reader;
  }

  /** The current snapshot may have changed: sends the next piece at once, unless one is under way. */
  advance(): void {
    if (this.#isSending || this.#closed) return;
    const current = this.#current();
    if (current === this.#sent) return this.#settle();
    const { update, reached, isLast } = pieceTo(this.#sent, current);
    this.#sent = reached;
    this.#isSending = true;
    this.#reader.send(update, isLast, () => {
      this.#isSending = false;
      this.advance();
    });
  }

  /** Whether the reader has the current snapshot. */
  get isSettled(): boolean {
    return !this.#isSending && this.#sent === this.#current();
  }

  /** Resolves when the reader has the current snapshot, or is gone. */
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

/** Pure: the next piece from one snapshot towards another, and the snapshot that it leads to. */
export function pieceTo(
  from: RegistrySnapshot,
  to: RegistrySnapshot,
  maxEndpoints = pieceSize,
): { update: Update; reached: RegistrySnapshot; isLast: boolean } {
  const { changes, reached, isLast } = from.channels.stepTo(to.channels, maxEndpoints);
  const put: Endpoint[] = [];
  const drop: EndpointRef[] = [];
  for (const change of changes) compareEndpoints(change, put, drop);
  const { revision, state } = isLast ? to : from;
  const update = { kind: 'delta', base: from.revision, revision, state, put, drop } as const;
  return { update, reached: isLast ? to : { revision, state, channels: reached }, isLast };
}

/** An endpoint that did not change is the same object in both, and usually at the same index. */
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
