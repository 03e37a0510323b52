// Which sessions are kept. A player chooses its path, its query and its credentials, so it can begin as many as it
// likes. A session has one of three standings, and never replaces one of a better standing:
//
//   unproven  no origin has answered yet
//   once      asked for once: losing it costs no viewer anything
//   regular   asked for again: a viewer watches
//
// A regular session leaves when no player has asked for a while, never because of a new one. The session that the players
// of a channel share leaves last. When there is no room, a new session is refused.

import { WeirError } from '../../errors.js';

/** What the room knows of a session. */
export interface Tenant<T extends Tenant<T>> {
  readonly key: string;
  readonly channel: string;
  /** Who asked for it first. */
  readonly client: string;
  /** An origin has answered. */
  readonly isProven: boolean;
  /** It was asked for more than once. */
  readonly isRegular: boolean;
  /** All players of the channel who bring nothing of their own have it together. */
  readonly isShared: boolean;
  /** Monotonic ms. */
  readonly usedAt: number;
  readonly bytes: number;
  /**
   * Lets go of something that is not in use; false when there is nothing. Tells the room what that was by `changed`.
   */
  shrink(): boolean;
  /** The room's own note. */
  shelf: Shelf<T> | undefined;
}

export interface SessionRoomSettings {
  readonly maxSessions: number;
  /** Bytes of all their playlists. */
  readonly sessionMemory: number;
}

/** ms without a request after which nobody plays: players ask at least once a target duration. */
const idleAfterMs = 10_000;
/** The same for what all players of a channel share. */
const sharedIdleAfterMs = 30_000;
/** Part of the room for unproven sessions: of all, of one channel, of one client. */
const unprovenShares = { all: 0.1, channel: 0.05, client: 0.025 };
/** Part of the room for those that were asked for once. A thousand viewers behind one address may begin together. */
const onceShares = { channel: 0.25, client: 0.1 };
/** The bounds above are never below so many. */
const minBound = 16;
/** A client with more than this part of the room, or of its bytes, makes room for others. */
const largeShare = 0.25;

/** All sessions of a process, by standing. It decides which one leaves, and calls `ended` with it. */
export class SessionRoom<T extends Tenant<T>> {
  readonly #settings: SessionRoomSettings;
  readonly #now: () => number;
  readonly #unproven = new Shelf<T>();
  readonly #once = new Shelf<T>();
  readonly #regular = new Shelf<T>();
  readonly #shared = new Shelf<T>();
  #bytes = 0;

  /** @param now monotonic ms; @param ended is told of each session that leaves */
  constructor(
    settings: SessionRoomSettings,
    now: () => number,
    readonly ended: (session: T) => void,
  ) {
    this.#settings = settings;
    this.#now = now;
  }

  get size(): number {
    return this.#unproven.size + this.#once.size + this.#regular.size + this.#shared.size;
  }

  /** Of all playlists. */
  get bytes(): number {
    return this.#bytes;
  }

  *[Symbol.iterator](): Iterator<T> {
    for (const shelf of [this.#unproven, this.#once, this.#regular, this.#shared]) yield* shelf.sessions.values();
  }

  /** Those that somebody watches. */
  *watched(): Iterable<T> {
    yield* this.#shared.sessions.values();
    yield* this.#regular.sessions.values();
  }

  find(key: string): T | undefined {
    return (
      this.#shared.sessions.get(key) ??
      this.#regular.sessions.get(key) ??
      this.#once.sessions.get(key) ??
      this.#unproven.sessions.get(key)
    );
  }

  /** @throws WeirError sessions_full when there is no room for it */
  admit(session: T): void {
    const { maxSessions } = this.#settings;
    const { channel } = session;
    const { all, channel: ofChannel, client: ofClient } = unprovenShares;
    const isFull =
      this.#unproven.size >= bound(maxSessions, all) ||
      this.#unproven.ofChannel(channel).size >= bound(maxSessions, ofChannel) ||
      this.#unproven.ofClient(session.client).size >= bound(maxSessions, ofClient);
    if (!session.isProven && isFull) throw new WeirError('sessions_full');
    while (this.size >= maxSessions) {
      const leaving = this.#leastNeeded(session.client);
      if (leaving === undefined) throw new WeirError('sessions_full');
      this.end(leaving);
    }
    this.#bytes += session.bytes;
    this.#place(session);
  }

  /** It was asked for, proved itself, or holds more or less than before. */
  changed(session: T, bytes = 0): void {
    const before = session.shelf;
    if (before === undefined) return;
    if (before === this.#shelfOf(session)) before.touch(session);
    else {
      before.remove(session);
      this.#place(session);
    }
    this.#bytes += bytes;
    if (bytes > 0) this.#fit(session);
  }

  #shelfOf(session: T): Shelf<T> {
    if (!session.isProven) return this.#unproven;
    if (!session.isRegular) return this.#once;
    return session.isShared ? this.#shared : this.#regular;
  }

  #place(session: T): void {
    const shelf = this.#shelfOf(session);
    shelf.add(session);
    if (shelf !== this.#once) return;
    const { maxSessions } = this.#settings;
    for (const [group, share] of [
      [shelf.ofClient(session.client), onceShares.client],
      [shelf.ofChannel(session.channel), onceShares.channel],
    ] as const) {
      const oldest = group.size > bound(maxSessions, share) ? leastRecent(group) : undefined;
      if (oldest !== undefined) this.end(oldest);
    }
  }

  /** It is not needed any more, or another one needs the room more. */
  end(session: T): void {
    if (session.shelf === undefined) return;
    session.shelf.remove(session);
    this.#bytes -= session.bytes;
    this.ended(session);
  }

  /** The session that makes room for one of that client; undefined when all are in use. */
  #leastNeeded(client: string): T | undefined {
    const { maxSessions } = this.#settings;
    const idle =
      this.#once.oldest() ?? this.#idle(this.#regular, idleAfterMs) ?? this.#idle(this.#shared, sharedIdleAfterMs);
    if (idle !== undefined) return idle;
    const [largest, group] = this.#regular.largestClient(({ size }) => size);
    return largest !== client && group.size > largeShare * maxSessions ? leastRecent(group) : undefined;
  }

  #idle(shelf: Shelf<T>, afterMs: number): T | undefined {
    const oldest = shelf.oldest();
    return oldest !== undefined && this.#now() - oldest.usedAt >= afterMs ? oldest : undefined;
  }

  /** Sessions grow by themselves, so one has to leave, even one that is in use; but never the one that grew. */
  #fit(grown: T): void {
    const { sessionMemory } = this.#settings;
    while (this.#bytes > sessionMemory) {
      const leaving =
        this.#once.oldest(grown) ??
        this.#idle(this.#regular, idleAfterMs) ??
        this.#ofLargest(grown) ??
        this.#regular.oldest(grown) ??
        this.#shared.oldest(grown);
      if (leaving !== undefined) this.end(leaving);
      else if (!grown.shrink()) return;
    }
  }

  #ofLargest(grown: T): T | undefined {
    const [, group] = this.#regular.largestClient(bytesOf);
    return bytesOf(group) > largeShare * this.#settings.sessionMemory ? leastRecent(group, grown) : undefined;
  }
}

function bound(all: number, share: number): number {
  return Math.max(minBound, Math.floor(all * share));
}

function bytesOf(group: ReadonlySet<{ readonly bytes: number }>): number {
  let sum = 0;
  for (const { bytes } of group) sum += bytes;
  return sum;
}

function leastRecent<T extends { readonly usedAt: number }>(group: Iterable<T>, except?: T): T | undefined {
  let oldest: T | undefined;
  for (const session of group) {
    if (session !== except && session.usedAt < (oldest?.usedAt ?? Number.POSITIVE_INFINITY)) oldest = session;
  }
  return oldest;
}

const none: ReadonlySet<never> = new Set<never>();

/** Sessions of one standing, the least recently used first. */
export class Shelf<T extends Tenant<T>> {
  readonly sessions = new Map<string, T>();
  /** The last of `sessions`: one that all players ask for is moved there once. */
  #newest: T | undefined;
  readonly #channels = new Map<string, Set<T>>();
  readonly #clients = new Map<string, Set<T>>();

  get size(): number {
    return this.sessions.size;
  }

  add(session: T): void {
    session.shelf = this;
    this.#newest = session;
    this.sessions.set(session.key, session);
    addTo(this.#channels, session.channel, session);
    addTo(this.#clients, session.client, session);
  }

  remove(session: T): void {
    session.shelf = undefined;
    if (this.#newest === session) this.#newest = undefined;
    this.sessions.delete(session.key);
    removeFrom(this.#channels, session.channel, session);
    removeFrom(this.#clients, session.client, session);
  }

  touch(session: T): void {
    if (this.#newest === session) return;
    this.#newest = session;
    this.sessions.delete(session.key);
    this.sessions.set(session.key, session);
  }

  oldest(except?: T): T | undefined {
    for (const session of this.sessions.values()) if (session !== except) return session;
    return undefined;
  }

  ofChannel(channel: string): ReadonlySet<T> {
    return this.#channels.get(channel) ?? none;
  }

  ofClient(client: string): ReadonlySet<T> {
    return this.#clients.get(client) ?? none;
  }

  largestClient(measure: (group: ReadonlySet<T>) => number): [client: string, group: ReadonlySet<T>] {
    let largest: [string, ReadonlySet<T>] = ['', none];
    let most = 0;
    for (const entry of this.#clients) {
      const size = measure(entry[1]);
      if (size <= most) continue;
      most = size;
      largest = entry;
    }
    return largest;
  }
}

function addTo<T>(groups: Map<string, Set<T>>, name: string, session: T): void {
  const group = groups.get(name);
  if (group === undefined) groups.set(name, new Set([session]));
  else group.add(session);
}

function removeFrom<T>(groups: Map<string, Set<T>>, name: string, session: T): void {
  const group = groups.get(name);
  group?.delete(session);
  if (group?.size === 0) groups.delete(name);
}
