// The reads from one client. They are bounded, and each is answered or forgotten. The reads of a full read are counted until
// the last one is answered.

import { ReadQueue } from './read-queue.js';
import { isLost, type ZooKeeperClient } from './zookeeper-client.js';

/** The part of the client that reads need. */
export type TreeReader = Pick<ZooKeeperClient, 'get' | 'children' | 'exists' | 'sync'>;

export interface ReadsListener {
  /** An answer was lost, with its connection or for an unknown reason. */
  lost(): void;
  /** Every read of the full read is answered. */
  complete(): void;
}

/** The reads from one client at a time. */
export class Reads {
  readonly #queue: ReadQueue;
  #reader: TreeReader | undefined;
  /** Answers of an earlier epoch are ignored. */
  #epoch = 0;
  /** Reads of the running full read that are not answered yet. */
  #outstanding = 0;
  readonly #listener: ReadsListener;

  /** @param depth reads under way at once */
  constructor(depth: () => number, listener: ReadsListener) {
    this.#listener = listener;
    this.#queue = new ReadQueue(depth);
  }

  /** Whether no full read is under way. */
  get settled(): boolean {
    return this.#outstanding === 0;
  }

  /** Forgets all reads under way, and reads from this client from now on. */
  begin(reader: TreeReader | undefined): void {
    this.#reader = reader;
    this.#epoch++;
    this.#outstanding = 0;
    this.#queue.clear();
  }

  /**
   * Queues one read. `apply` gets the answer unless it is of an earlier epoch or lost with its connection. `full`: it
   * belongs to the full read, which is complete when the last of its reads was answered.
   */
  read<A extends unknown[]>(
    full: boolean,
    send: (reader: TreeReader, done: (code: number, ...answer: A) => void) => void,
    apply: (code: number, ...answer: A) => void,
  ): void {
    const epoch = this.#epoch;
    const reader = this.#reader;
    if (reader === undefined) return;
    if (full) this.#outstanding++;
    const answered = (code: number, ...answer: A) => {
      if (epoch !== this.#epoch) return;
      if (isLost(code)) return this.#listener.lost();
      apply(code, ...answer);
      if (epoch !== this.#epoch) return;
      if (full && --this.#outstanding === 0) this.#listener.complete();
      if (epoch === this.#epoch) this.#queue.done();
    };
    this.#queue.add(() => send(reader, answered), !full);
  }
}
