// One place in a queue of sequential nodes, from its making to its end. Lock and election stand on it.

import { randomUUID } from 'node:crypto';
import { type Backoff, backoffDelay } from '../registry/backoff.js';
import { ownAmong, prefixOf, type Turn, verdictOf } from './queue-order.js';
import { FleetError, type FleetSession } from './session.js';

export interface PlaceOptions {
  readonly session: FleetSession;
  /** The node whose children are the places. */
  readonly folder: string;
  readonly turn: Turn;
  /** Who it is, for others to read. */
  readonly data: string;
  /** Called at each change of the standing. */
  readonly changed: (standing: Standing) => void;
  /** ZooKeeper refused something; it is tried again. */
  readonly refused: (error: FleetError) => void;
}

export type Standing =
  | { readonly kind: 'waiting' }
  /** `token`: the fencing token, which is greater than that of everybody who had a turn before. */
  | { readonly kind: 'turn'; readonly token: string }
  /** `lost`: with the session. `removed`: somebody removed the node. `left`: as asked. */
  | { readonly kind: 'over'; readonly why: 'lost' | 'removed' | 'left' };

const retry: Backoff = { baseMs: 200, maxMs: 5_000 };

/** Takes a place as soon as there is a connection, and ends with the session, with `leave`, or when its node is removed. */
export class QueuePlace {
  standing: Standing = { kind: 'waiting' };
  readonly #options: PlaceOptions;
  readonly #guid = randomUUID();
  readonly #endSubscription: () => void;
  #name: string | undefined;
  /** A node was asked for, and the answer is not there or was lost. */
  #maybeMade = false;
  #before: string | undefined;
  #endOwn = () => {};
  #endBefore = () => {};
  #isLeaving = false;
  #isWorking = false;
  #again = false;
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: PlaceOptions) {
    this.#options = options;
    this.#endSubscription = options.session.subscribe(({ kind }) => {
      if (kind === 'connected') this.#converge();
      if (kind === 'lost' && (this.#name !== undefined || this.#maybeMade)) this.#end('lost');
    });
  }

  /** Whether it has its turn and the session is certainly alive. To be asked before each act that depends on it. */
  get hasTurn(): boolean {
    return this.standing.kind === 'turn' && this.#options.session.isAlive();
  }

  /** Gives the place up. It is over at once for its owner, and for the others once its node is gone. */
  leave(): void {
    if (this.standing.kind === 'over') return;
    this.#isLeaving = true;
    if (this.#name === undefined && !this.#maybeMade) return this.#end('left');
    // What it may do ends now, whatever becomes of the node.
    this.standing = { kind: 'waiting' };
    this.#converge();
  }

  #converge(): void {
    clearTimeout(this.#timer);
    this.#again = true;
    if (!this.#isWorking) void this.#work();
  }

  async #work(): Promise<void> {
    this.#isWorking = true;
    while (this.#again && this.standing.kind !== 'over') {
      this.#again = false;
      try {
        await (this.#isLeaving ? this.#remove() : this.#look());
        this.#failures = 0;
      } catch (error) {
        this.#failed(error instanceof FleetError ? error : new FleetError('failed', (error as Error).message));
      }
    }
    this.#isWorking = false;
  }

  #failed(error: FleetError): void {
    if (this.standing.kind === 'over') return;
    if (error.kind !== 'lost') this.#options.refused(error);
    // After a loss `connected` goes on; the timer is for when the connection was not lost after all.
    this.#timer = setTimeout(() => this.#converge(), backoffDelay(this.#failures++, retry, Math.random));
  }

  async #look(): Promise<void> {
    const { session, folder } = this.#options;
    const name = this.#name ?? (await this.#take());
    const own = await session.get(`${folder}/${name}`);
    if (own === undefined || !own.mine) return this.#end('removed');
    if (this.#before !== undefined && (await session.get(`${folder}/${this.#before}`)) !== undefined) return;
    const verdict = verdictOf((await session.children(folder)) ?? [], name);
    if (verdict.kind === 'gone') return this.#end('removed');
    if (verdict.kind === 'wait') return this.#waitFor(verdict.before);
    this.#waitFor(undefined);
    if (this.standing.kind === 'turn' || this.#isLeaving || !session.isAlive()) return;
    this.#become({ kind: 'turn', token: own.czxid });
  }

  async #take(): Promise<string> {
    const { session, folder, turn, data } = this.#options;
    const found = this.#maybeMade ? ownAmong((await session.children(folder)) ?? [], this.#guid) : undefined;
    let name = found;
    if (name === undefined) {
      this.#maybeMade = true;
      const made = await session.create(`${folder}/${prefixOf(this.#guid, turn)}`, data, 'ephemeral_sequential');
      name = made.slice(folder.length + 1);
    }
    this.#name = name;
    // Removed by an operator, it is over.
    this.#endOwn = session.watch(`${folder}/${name}`, 'data', () => this.#converge());
    return name;
  }

  #waitFor(before: string | undefined): void {
    if (before === this.#before) return;
    this.#endBefore();
    const { session, folder } = this.#options;
    this.#before = before;
    this.#endBefore =
      before === undefined ? () => {} : session.watch(`${folder}/${before}`, 'data', () => this.#converge());
  }

  async #remove(): Promise<void> {
    const { session, folder } = this.#options;
    const name = this.#name ?? ownAmong((await session.children(folder)) ?? [], this.#guid);
    if (name !== undefined) await session.remove(`${folder}/${name}`);
    this.#end('left');
  }

  #become(standing: Standing): void {
    this.standing = standing;
    this.#options.changed(standing);
  }

  #end(why: 'lost' | 'removed' | 'left'): void {
    if (this.standing.kind === 'over') return;
    clearTimeout(this.#timer);
    this.#endSubscription();
    this.#endOwn();
    this.#endBefore();
    this.#become({ kind: 'over', why: this.#isLeaving ? 'left' : why });
  }
}
