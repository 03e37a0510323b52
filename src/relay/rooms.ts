// Pure: which streams may run. Players choose the names under a channel, so the number of streams is bounded per channel and
// per client. A stream that no endpoint has delivered never replaces one that viewers watch.

import { WeirError } from '../errors.js';
import type { ChannelName } from '../model.js';

/** How much room there is. */
export interface RoomSettings {
  /** Streams at most, of those that an endpoint delivered, and as many that are being tried. */
  readonly maxRelays: number;
  /** The same, of one channel. */
  readonly maxChannelRelays: number;
}

/** A stream, as far as it takes room. */
export interface Occupant {
  readonly channel: ChannelName;
  /** Who asked for it first; undefined: not a player. */
  readonly client: string | undefined;
  /** An endpoint delivered it. */
  readonly proven: boolean;
  /** Monotonic ms since which nobody watches it; undefined while somebody does. */
  readonly idleSince: number | undefined;
}

/** Part of a channel's streams that one client may have started, 0 to 1. */
const maxClientShare = 0.25;

/** Counts the streams. It names the stream that has to end; the caller ends it. */
export class Rooms<T extends Occupant> {
  readonly #settings: RoomSettings;
  readonly #all = new Set<T>();
  readonly #proven = new Set<T>();
  readonly #ofChannel = new Map<ChannelName, Set<T>>();

  constructor(settings: RoomSettings) {
    this.#settings = settings;
  }

  [Symbol.iterator](): IterableIterator<T> {
    return this.#all.values();
  }

  /** A stream of the channel runs. */
  has(channel: ChannelName): boolean {
    return this.#ofChannel.has(channel);
  }

  /**
   * Whether one more stream may start, unproven as yet. Returns an idle one of the same client that has to end for it, if any
   * has.
   *
   * @throws WeirError relay_full
   */
  ask({ channel, client }: Pick<Occupant, 'channel' | 'client'>): T | undefined {
    const { maxRelays, maxChannelRelays } = this.#settings;
    const ofChannel = [...(this.#ofChannel.get(channel) ?? [])];
    const tried = ofChannel.filter(({ proven }) => !proven);
    const watched = ofChannel.filter(({ proven, idleSince }) => proven && idleSince === undefined);
    if (Math.max(tried.length, watched.length) >= maxChannelRelays) {
      throw new WeirError('relay_full', { detail: 'This channel has no room for another stream.' });
    }
    if (this.#all.size - this.#proven.size >= maxRelays || this.#isFull()) {
      throw new WeirError('relay_full', { detail: 'This edge has no room for another stream.' });
    }
    const own = client === undefined ? [] : ofChannel.filter((each) => each.client === client);
    if (own.length < Math.max(1, Math.ceil(maxChannelRelays * maxClientShare))) return undefined;
    const leaving = longestIdle(own);
    if (leaving === undefined) {
      throw new WeirError('relay_full', { detail: 'You watch too many streams of this channel.' });
    }
    return leaving;
  }

  add(occupant: T): void {
    this.#all.add(occupant);
    const ofChannel = this.#ofChannel.get(occupant.channel) ?? new Set();
    this.#ofChannel.set(occupant.channel, ofChannel.add(occupant));
  }

  /** It is proven now. Returns idle ones that have to end for it; undefined: there is no room for it. */
  prove(occupant: T): T[] | undefined {
    const { maxRelays, maxChannelRelays } = this.#settings;
    const leaving: T[] = [];
    const others = [...(this.#ofChannel.get(occupant.channel) ?? [])].filter((each) => this.#proven.has(each));
    if (others.length >= maxChannelRelays) {
      const idlest = longestIdle(others);
      if (idlest === undefined) return undefined;
      leaving.push(idlest);
    }
    if (this.#proven.size - leaving.length >= maxRelays) {
      const idlest = longestIdle(this.#proven);
      if (idlest === undefined) return undefined;
      leaving.push(idlest);
    }
    this.#proven.add(occupant);
    return leaving;
  }

  delete(occupant: T): void {
    this.#all.delete(occupant);
    this.#proven.delete(occupant);
    const ofChannel = this.#ofChannel.get(occupant.channel);
    ofChannel?.delete(occupant);
    if (ofChannel?.size === 0) this.#ofChannel.delete(occupant.channel);
  }

  /** Looked through only when it may be: streams are few against the requests of their viewers. */
  #isFull(): boolean {
    return this.#proven.size >= this.#settings.maxRelays && longestIdle(this.#proven) === undefined;
  }
}

function longestIdle<T extends Occupant>(occupants: Iterable<T>): T | undefined {
  let longest: T | undefined;
  for (const each of occupants) {
    if (each.idleSince !== undefined && each.idleSince < (longest?.idleSince ?? Number.POSITIVE_INFINITY))
      longest = each;
  }
  return longest;
}
