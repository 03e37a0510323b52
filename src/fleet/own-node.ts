// Keeps the edge's own node in ZooKeeper true: made in each session anew, in the folder of those in service or of those out of it, and
// written when what it says has changed enough.

import type { FleetClock } from './clock.js';
import { type EdgeFolder, edgePath } from './edge-paths.js';
import { type EdgeNode, type EdgeRecord, encodeEdge } from './edge-record.js';
import { FleetError, type FleetSession } from './session.js';
import { type Told, writeDueMs } from './write-due.js';

/** Until another try, in ms: after a refusal, and where somebody else wrote. */
const retryMs = 5_000;
const againMs = 1_000;

export interface OwnNodeTools {
  readonly session: FleetSession;
  readonly root: string;
  readonly site: string;
  readonly node: EdgeNode;
  /** What it is to say now. */
  readonly record: () => EdgeRecord;
  /** Where it is to stand now. */
  readonly folder: () => EdgeFolder;
  /** Why it could not be made or written, in words. */
  readonly failed: (reason: string) => void;
  readonly clock: FleetClock;
}

interface Made {
  readonly folder: EdgeFolder;
  readonly version: number;
  readonly told: Told;
}

/** The edge's node, from the first session on until `close`; the session's end removes it. Sole writer of it. */
export class OwnNode {
  readonly #tools: OwnNodeTools;
  readonly #unsubscribe: () => void;
  #made: Made | undefined;
  #isConnected = false;
  #busy = false;
  #isClosed = false;
  #stopWaiting = () => {};
  /** Counts the changes of the session's state: what was begun before one says nothing after it. */
  #epoch = 0;

  constructor(tools: OwnNodeTools) {
    this.#tools = tools;
    this.#unsubscribe = tools.session.subscribe((state) => {
      this.#epoch += 1;
      this.#isConnected = state.kind === 'connected';
      // Of a session that came back too, its version is read again: the answer to a write may have been lost.
      this.#made = undefined;
      if (this.#isConnected) this.check();
    });
  }

  /** What it says or where it stands may have to change. */
  check(): void {
    if (this.#isClosed || !this.#isConnected || this.#busy) return;
    const dueMs = this.#dueMs();
    this.#stopWaiting();
    if (dueMs === undefined) return;
    if (dueMs > 0) this.#checkAfter(dueMs);
    else void this.#write();
  }

  /** It is not where it was: it is made again. */
  missing(): void {
    if (this.#busy) return;
    this.#made = undefined;
    this.check();
  }

  close(): void {
    this.#isClosed = true;
    this.#stopWaiting();
    this.#unsubscribe();
  }

  #dueMs(): number | undefined {
    const { folder, record, clock } = this.#tools;
    if (this.#made === undefined || this.#made.folder !== folder()) return 0;
    return writeDueMs(this.#made.told, record(), clock.now());
  }

  #checkAfter(ms: number): void {
    this.#stopWaiting();
    if (!this.#isClosed) this.#stopWaiting = this.#tools.clock.after(ms, () => this.check());
  }

  /** Never rejects. */
  async #write(): Promise<void> {
    this.#busy = true;
    const { folder, record, clock } = this.#tools;
    const epoch = this.#epoch;
    const wanted = folder();
    const told: Told = { record: record(), at: clock.now() };
    let waitMs = 0;
    try {
      const version = await this.#put(wanted, encodeEdge(told.record));
      if (epoch === this.#epoch) this.#made = { folder: wanted, version, told };
    } catch (error) {
      waitMs = this.#refused(error);
    }
    this.#busy = false;
    if (waitMs === 0 || epoch !== this.#epoch) this.check();
    else this.#checkAfter(waitMs);
  }

  /** @returns the version of the node */
  async #put(folder: EdgeFolder, data: string): Promise<number> {
    const { session } = this.#tools;
    const before = this.#made;
    this.#made = undefined;
    if (before?.folder === folder) return await session.set(this.#path(folder), data, before.version);
    const version = await this.#make(folder, data);
    // Out of one folder when it stands in the other: at no time is it in neither.
    await session.remove(this.#path(folder === 'edges' ? 'drained' : 'edges'));
    return version;
  }

  /** @returns its version */
  async #make(folder: EdgeFolder, data: string): Promise<number> {
    const { session } = this.#tools;
    const path = this.#path(folder);
    try {
      await session.create(path, data, 'ephemeral');
      return 0;
    } catch (error) {
      if (!(error instanceof FleetError) || error.kind !== 'exists') throw error;
    }
    const found = await session.get(path);
    // Of this session: the answer to the create, or to a later write, was lost.
    if (found?.mine === true) return await session.set(path, data, found.version);
    // Of the session before, which ends by itself at any moment: too late for whoever looks meanwhile.
    await session.remove(path);
    await session.create(path, data, 'ephemeral');
    return 0;
  }

  #path(folder: EdgeFolder): string {
    const { root, site, node } = this.#tools;
    return edgePath(root, folder, site, node);
  }

  /** @returns in how many ms it is tried again */
  #refused(error: unknown): number {
    const kind = error instanceof FleetError ? error.kind : 'failed';
    // Somebody wrote or removed it: it is looked at again. With the connection everything begins anew.
    if (kind === 'conflict' || kind === 'missing' || kind === 'exists' || kind === 'lost') return againMs;
    this.#tools.failed((error as Error).message);
    return retryMs;
  }
}
