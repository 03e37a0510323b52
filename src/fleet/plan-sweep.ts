// Removes the plans of channels that no edge uses any more. One edge does it for all: the leader.

import { Election } from './election.js';
import type { FleetSession } from './session.js';

export interface PlanSweepOptions {
  readonly session: FleetSession;
  /** The node below which the edges stand for it. */
  readonly election: string;
  /** The node below which the plans are. */
  readonly folder: string;
  /** Who it is, for others to read. */
  readonly edge: string;
  /** Monotonic ms. */
  readonly now: () => number;
  /** Calls it after so many ms, unless it is ended before. */
  readonly after: (ms: number, run: () => void) => () => void;
  readonly swept: (plans: number) => void;
}

/** Edges write to a plan once an hour at least while they use it. */
export const unusedAfterMs = 3 * 60 * 60 * 1000;
/** ms from the end of a pass to the next. */
export const passEveryMs = 60 * 60 * 1000;
/** ms between two plans: a hundred thousand take half an hour. */
const pauseMs = 20;
/** Plans that are remembered; of further ones nothing is removed. */
const maxKnown = 200_000;

/** A candidate for the sweeping, until `close`. It goes by its own clock alone: it removes what it saw unchanged for long. */
export class PlanSweep {
  readonly #options: PlanSweepOptions;
  readonly #election: Election;
  readonly #known = new Map<string, { readonly identity: string; readonly since: number }>();
  #isClosed = false;
  #isSweeping = false;
  #stop = () => {};

  constructor(options: PlanSweepOptions) {
    this.#options = options;
    this.#election = new Election({
      session: options.session,
      folder: options.election,
      data: options.edge,
      changed: (token) => {
        if (token === undefined) this.#known.clear();
        else this.#begin();
      },
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#stop();
    await this.#election.close();
  }

  #begin(): void {
    if (this.#isClosed || this.#isSweeping) return;
    this.#isSweeping = true;
    this.#stop();
    void this.#pass().finally(() => {
      this.#isSweeping = false;
      if (this.#isClosed) return;
      this.#stop = this.#options.after(passEveryMs, () => this.#begin());
    });
  }

  async #pass(): Promise<void> {
    const { session, folder, swept } = this.#options;
    let removed = 0;
    try {
      const names = new Set(await session.children(folder));
      for (const name of this.#known.keys()) if (!names.has(name)) this.#known.delete(name);
      for (const name of names) {
        await new Promise<void>((resolve) => this.#options.after(pauseMs, resolve));
        // Another edge may lead by now.
        if (this.#isClosed || !this.#election.isLeader()) break;
        if (await this.#sweep(name)) removed += 1;
      }
    } catch {
      // Without a connection there is nothing to be done; the next pass sees it.
    }
    if (removed > 0) swept(removed);
  }

  async #sweep(name: string): Promise<boolean> {
    const { session, folder, now } = this.#options;
    const path = `${folder}/${name}`;
    const node = await session.get(path);
    if (node === undefined) return false;
    const identity = `${node.czxid} ${node.version}`;
    const known = this.#known.get(name);
    if (known?.identity !== identity) {
      if (known !== undefined || this.#known.size < maxKnown) this.#known.set(name, { identity, since: now() });
      return false;
    }
    if (now() - known.since < unusedAfterMs || !this.#election.isLeader()) return false;
    // Whoever writes to it now keeps it.
    await session.remove(path, node.version);
    this.#known.delete(name);
    return true;
  }
}
