// Which playlists of a session are kept. Multivariant playlists of the edge list some, with a signature; players choose
// the other paths. A new one never replaces one that is in use: it is refused.

import { WeirError } from '../../errors.js';
import type { MediaWindow } from '../presentation/live-window.js';
import type { PlaylistName } from '../url/player-query.js';
import type { ListedObjects } from './listed-objects.js';
import type { PlaylistView } from './playlist-view.js';

/** Kept at most, when an origin has given them. */
const maxKept = { listed: 256, asked: 64 };
/** Under way at once that no origin has given yet. */
const maxUnproven = { listed: 64, asked: 32 };
/** The same for one client, of those that no multivariant playlist listed. */
const maxUnprovenOfClient = 8;
/** ms without a request after which another one may take its place. */
const idleAfterMs = 30_000;

interface Kept {
  readonly view: PlaylistView;
  readonly kind: keyof typeof maxKept;
  readonly client: string;
  usedAt: number;
  bytes: number;
  /** What `listed` knows of. */
  window: MediaWindow | undefined;
}

export interface PlaylistViewsOptions {
  /** Monotonic ms. */
  readonly now: () => number;
  readonly create: (name: PlaylistName) => PlaylistView;
  /** Is told of what all of them list. */
  readonly listed: ListedObjects;
}

/** The playlists of one session. */
export class PlaylistViews {
  readonly #options: PlaylistViewsOptions;
  readonly #kept = new Map<string, Kept>();
  readonly #unproven = new Map<string, Kept>();

  constructor(options: PlaylistViewsOptions) {
    this.#options = options;
  }

  /** Those that an origin has given. */
  *[Symbol.iterator](): Iterator<PlaylistView> {
    for (const { view } of this.#kept.values()) yield view;
  }

  /** None was ever given, and none is asked for. */
  get isEmpty(): boolean {
    return this.#kept.size + this.#unproven.size === 0;
  }

  find(suffix: string, pin: string, originQuery: string): PlaylistView | undefined {
    const key = keyOf(suffix, pin, originQuery);
    const found = this.#kept.get(key) ?? this.#unproven.get(key);
    if (found !== undefined) found.usedAt = this.#options.now();
    return found?.view;
  }

  /** @throws WeirError sessions_full when there is no room for it */
  open(name: PlaylistName, client: string): PlaylistView {
    const known = this.find(name.suffix, name.pin, name.originQuery);
    if (known !== undefined) return known;
    const kind = name.variant === undefined ? 'asked' : 'listed';
    const alike = [...this.#unproven.values()].filter((one) => one.kind === kind);
    const ofClient = kind === 'listed' ? 0 : alike.filter((one) => one.client === client).length;
    if (alike.length >= maxUnproven[kind] || ofClient >= maxUnprovenOfClient || !this.#placeFor(kind).there) {
      throw new WeirError('sessions_full');
    }
    const view = this.#options.create(name);
    const kept: Kept = { view, kind, client, usedAt: this.#options.now(), bytes: 0, window: undefined };
    this.#unproven.set(keyOf(name.suffix, name.pin, name.originQuery), kept);
    return view;
  }

  /**
   * An origin has given it, and it takes so many bytes now.
   *
   * @returns by how much all grew
   */
  committed(view: PlaylistView, bytes: number): number {
    const kept = this.#keep(view);
    if (kept === undefined) return 0;
    const growth = bytes - kept.bytes;
    kept.bytes = bytes;
    this.#list(kept, view.window);
    return growth;
  }

  /** No origin has it. */
  forget(view: PlaylistView): void {
    for (const [key, unproven] of this.#unproven) if (unproven.view === view) this.#unproven.delete(key);
  }

  /** Removes the one that was asked for least recently, unless it is the only one. @returns its bytes */
  shrink(): number {
    const oldest = this.#leastRecent('asked') ?? this.#leastRecent('listed');
    if (oldest === undefined || this.#kept.size <= 1) return 0;
    this.#kept.delete(oldest[0]);
    this.#list(oldest[1], undefined);
    return oldest[1].bytes;
  }

  #list(kept: Kept, window: MediaWindow | undefined): void {
    this.#options.listed.moved(kept.window, window, this.#options.now());
    kept.window = window;
  }

  #keep(view: PlaylistView): Kept | undefined {
    for (const kept of this.#kept.values()) if (kept.view === view) return kept;
    for (const [key, proven] of this.#unproven) {
      if (proven.view !== view) continue;
      this.#unproven.delete(key);
      const { there, taken } = this.#placeFor(proven.kind);
      if (!there) return undefined;
      const before = taken === undefined ? undefined : this.#kept.get(taken);
      if (taken !== undefined && before !== undefined) {
        this.#kept.delete(taken);
        this.#list(before, undefined);
        // It is made up for by what is kept in its place.
        proven.bytes = before.bytes;
      }
      this.#kept.set(key, proven);
      return proven;
    }
    return undefined;
  }

  /** Whether there is a place, and who has it now that nobody asks for. */
  #placeFor(kind: Kept['kind']): { readonly there: boolean; readonly taken?: string } {
    let count = 0;
    for (const kept of this.#kept.values()) if (kept.kind === kind) count += 1;
    if (count < maxKept[kind]) return { there: true };
    const [key, oldest] = this.#leastRecent(kind) ?? [];
    if (key === undefined || oldest === undefined) return { there: false };
    return this.#options.now() - oldest.usedAt < idleAfterMs ? { there: false } : { there: true, taken: key };
  }

  #leastRecent(kind: Kept['kind']): [key: string, kept: Kept] | undefined {
    let oldest: [string, Kept] | undefined;
    for (const entry of this.#kept) {
      if (entry[1].kind === kind && entry[1].usedAt < (oldest?.[1].usedAt ?? Number.POSITIVE_INFINITY)) oldest = entry;
    }
    return oldest;
  }
}

function keyOf(suffix: string, pin: string, originQuery: string): string {
  return `${suffix} ${pin} ${originQuery}`;
}
