// The election of one leader among all who stand for it, and the news of who leads.

import { firstAmong } from './queue-order.js';
import { QueuePlace, type Standing } from './queue-place.js';
import type { FleetError, FleetSession } from './session.js';

export interface ElectionOptions {
  readonly session: FleetSession;
  /** The node below which the candidates have their places. */
  readonly folder: string;
  /** Who it is, for others to read. */
  readonly data: string;
  /** Called when this candidate becomes the leader, with its fencing token, and with undefined when it is not any more. */
  readonly changed: (token: string | undefined) => void;
  /** ZooKeeper refused something; it is tried again. */
  readonly refused?: (error: FleetError) => void;
}

/** A candidate, from its making to `close`. Who loses the session or its node stands again. */
export class Election {
  readonly #options: ElectionOptions;
  #place: QueuePlace;
  #isClosed = false;
  #resolveClosed = () => {};
  readonly #closed = new Promise<void>((resolve) => {
    this.#resolveClosed = resolve;
  });
  #token: string | undefined;

  constructor(options: ElectionOptions) {
    this.#options = options;
    this.#place = this.#stand();
  }

  /** Whether it certainly leads now. To be asked before each act of a leader. */
  isLeader(): boolean {
    return this.#place.hasTurn;
  }

  /** The fencing token while it leads: see `Lock`. */
  get token(): string | undefined {
    return this.isLeader() ? this.#token : undefined;
  }

  /** Resolves when another one may lead. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#place.leave();
    this.#follow();
    await this.#closed;
  }

  #stand(): QueuePlace {
    const { session, folder, data, refused = () => {} } = this.#options;
    const changed = (standing: Standing) => this.#changed(standing);
    return new QueuePlace({ session, folder, turn: 'exclusive', data, changed, refused });
  }

  #changed(standing: Standing): void {
    if (standing.kind === 'turn') {
      this.#token = standing.token;
      this.#options.changed(standing.token);
      return;
    }
    this.#follow();
    if (this.#isClosed) this.#resolveClosed();
    else if (standing.kind === 'over') this.#place = this.#stand();
  }

  #follow(): void {
    if (this.#token === undefined) return;
    this.#token = undefined;
    this.#options.changed(undefined);
  }
}

/** The one who leads, as it says itself. */
export interface Leader {
  readonly data: string;
  readonly token: string;
}

/**
 * Tells who leads, at each change; undefined: nobody. Who watches this looks at every change among the candidates, so it is for
 * those who show it, not for the candidates themselves.
 *
 * @returns ends it
 */
export function watchLeader(
  session: FleetSession,
  folder: string,
  changed: (leader: Leader | undefined) => void,
): () => void {
  let last: string | undefined;
  let looks = 0;
  const look = async () => {
    const number = ++looks;
    try {
      const first = firstAmong((await session.children(folder)) ?? []);
      const node = first === undefined ? undefined : await session.get(`${folder}/${first}`);
      if (number !== looks || (first !== undefined && node === undefined) || last === (node?.czxid ?? 'none')) return;
      last = node?.czxid ?? 'none';
      changed(node && { data: node.data, token: node.czxid });
    } catch {
      // The next connection or change tells.
    }
  };
  const end = session.watch(folder, 'children', () => void look());
  return () => {
    looks += 1;
    end();
  };
}
