// Low latency: players ask for a playlist with a segment, or a part of one, that is yet to come (RFC 8216bis, section
// 6.2.5.2). They wait here. The endpoint is asked only for what comes next, however far ahead a player asks: it holds at
// most two requests for a playlist, and no player blocks another.

import { WeirError } from '../../errors.js';
import type { MediaWindow } from '../presentation/live-window.js';
import { type Position, reachOf } from '../presentation/reach.js';
import type { Rendered } from '../presentation/rendered.js';

/** The playlist whose reloads they are. */
export interface Reloaded {
  readonly window: MediaWindow | undefined;
  readonly rendered: Rendered | undefined;
  /** Nobody has to ask the endpoint anew. */
  readonly isFresh: boolean;
  /** It was asked for here, and the endpoint answered last. */
  readonly isOwn: boolean;
  /** Monotonic ms. */
  readonly now: () => number;
  /** As for an ordinary request of a player with this query: what is fresh, or new, or stands in. */
  readonly current: (own: string) => Rendered | Promise<Rendered>;
  /** The next ordinary request asks the endpoint. */
  readonly distrust: () => void;
  /** Asks the endpoint with this query, which it may hold; resolves when its answer is taken over, or with false. */
  readonly hold: (query: string) => Promise<boolean>;
  /** An error that nobody expected. */
  readonly failed: (error: unknown) => void;
}

/** What the endpoint is asked for: the next part, or the next whole segment where nobody waits for a part. */
type Kind = 'part' | 'segment';

interface Waiting {
  readonly position: Position;
  readonly kind: Kind;
  /** Monotonic ms. */
  readonly since: number;
  readonly promise: Promise<boolean>;
  readonly resolve: (there: boolean) => void;
}

/** Target durations after which nobody waits any longer (RFC 8216bis, section 6.2.5.2). */
const maxWaitTargets = 3;

/** The players who wait for the next parts and segments of one playlist, and what its endpoint is asked for meanwhile. */
export class BlockingReloads {
  readonly #playlist: Reloaded;
  readonly #waiting = new Map<string, Waiting>();
  readonly #asked = new Set<Kind>();

  constructor(playlist: Reloaded) {
    this.#playlist = playlist;
  }

  /** @throws WeirError bad_request for a position that is too far ahead; what `current` throws */
  ask(position: Position, own: string): Rendered | Promise<Rendered> {
    const { window, rendered, isFresh, isOwn, now } = this.#playlist;
    if (window === undefined || rendered === undefined) return this.#catchUp(position, own);
    if (!window.delivery.canBlock) return this.#playlist.current(own);
    const reach = reachOf(window, position);
    if (reach === 'coming') return this.#await(position, own);
    const recent = isOwn && now() - rendered.at < 1000 * window.targetDurationSeconds;
    if (reach === 'there' && recent && !window.ended) return rendered;
    if (reach === 'beyond' && isOwn && isFresh) throw tooFarAhead();
    return this.#catchUp(position, own);
  }

  /** A player may have seen more at another edge, or in another process: it is judged by what the endpoint says now. */
  async #catchUp(position: Position, own: string): Promise<Rendered> {
    const before = this.#playlist.rendered;
    const rendered = await this.#playlist.current(own);
    const { window } = this.#playlist;
    // Nobody answered: what stands in says nothing of what is too far ahead.
    if (window?.delivery.canBlock !== true || rendered === before) return rendered;
    const reach = reachOf(window, position);
    if (reach === 'beyond') throw tooFarAhead();
    return reach === 'there' ? rendered : await this.#await(position, own);
  }

  async #await(position: Position, own: string): Promise<Rendered> {
    const there = await this.wait(position);
    const { rendered } = this.#playlist;
    if (there && rendered !== undefined) return rendered;
    // A held request that ends badly says nothing; an ordinary one will.
    this.#playlist.distrust();
    return this.#playlist.current(own);
  }

  /** Resolves with true when the window has it; with false when it will not come. */
  wait(position: Position): Promise<boolean> {
    const key = `${position.sequence}.${position.part ?? ''}`;
    const known = this.#waiting.get(key);
    if (known !== undefined) return known.promise;
    const kind = position.part === undefined ? 'segment' : 'part';
    let resolve: Waiting['resolve'] = () => undefined;
    const promise = new Promise<boolean>((settle) => {
      resolve = settle;
    });
    this.#waiting.set(key, { position, kind, since: this.#playlist.now(), promise, resolve });
    this.#ask(kind);
    return promise;
  }

  /** The window has changed: players who waited for what it has now are answered. */
  progressed(): void {
    const { window } = this.#playlist;
    if (window === undefined) return;
    this.#release(true, ({ position }) => reachOf(window, position) === 'there');
  }

  /** The endpoint is another one, or not known: whoever waits has to ask anew. */
  abandon(): void {
    this.#release(false, () => true);
  }

  #ask(kind: Kind): void {
    const { window } = this.#playlist;
    if (this.#asked.has(kind)) return;
    if (window?.delivery.canBlock !== true) return this.#release(false, (one) => one.kind === kind);
    this.#asked.add(kind);
    this.#playlist
      .hold(nextQuery(window, kind))
      .finally(() => this.#asked.delete(kind))
      .then((answered) => this.#next(kind, answered && hasGrown(window, this.#playlist.window)))
      .catch((error: unknown) => {
        this.abandon();
        this.#playlist.failed(error);
      });
  }

  /**
   * @param grown whether there is more than before: an endpoint that does not hold what it should is not asked again at
   *   once
   */
  #next(kind: Kind, grown: boolean): void {
    const { window, now } = this.#playlist;
    this.progressed();
    const maxWaitMs = maxWaitTargets * 1000 * (window?.targetDurationSeconds ?? 0);
    this.#release(false, (one) => one.kind === kind && (!grown || now() - one.since > maxWaitMs));
    for (const one of this.#waiting.values()) if (one.kind === kind) return this.#ask(kind);
  }

  #release(there: boolean, which: (one: Waiting) => boolean): void {
    for (const [key, one] of this.#waiting) {
      if (!which(one)) continue;
      this.#waiting.delete(key);
      one.resolve(there);
    }
  }
}

/** What comes next, in the origin's numbers. */
function nextQuery({ entries, offset, tailParts, delivery }: MediaWindow, kind: Kind): string {
  const next = (entries.at(-1)?.sequence ?? -1) + 1 - offset;
  return kind === 'part' && delivery.partTargetSeconds !== undefined
    ? `_HLS_msn=${next}&_HLS_part=${tailParts}`
    : `_HLS_msn=${next}`;
}

function hasGrown(before: MediaWindow, after: MediaWindow | undefined): boolean {
  const [then, now] = [before.entries.at(-1)?.sequence ?? -1, after?.entries.at(-1)?.sequence ?? -1];
  return now > then || (now === then && (after?.tailParts ?? 0) > before.tailParts);
}

function tooFarAhead(): WeirError {
  return new WeirError('bad_request', { detail: 'That segment or part is too far ahead.' });
}
