// Which objects the playlists of a session list, and since when. A listed object must not change (RFC 8216, section
// 6.2.2), so a copy that arrived since then can be used, whatever its header says. An object that no playlist lists was
// named by a player.

import type { Entry, MediaWindow } from '../presentation/live-window.js';
import { placeOf } from '../url/cache-key.js';

interface Listing {
  /** Monotonic ms. */
  readonly since: number;
  /** Entries that need it, in all playlists of the session. */
  count: number;
}

/** The objects that the playlists of one session list. */
export class ListedObjects {
  readonly #listings = new Map<string, Listing>();

  /** Monotonic ms since which it is listed without a break; undefined when it is not. */
  since(place: string): number | undefined {
    return this.#listings.get(place)?.since;
  }

  get size(): number {
    return this.#listings.size;
  }

  /** A playlist moved on. An entry never changes what it lists. */
  moved(before: MediaWindow | undefined, after: MediaWindow | undefined, now: number): void {
    const first = after?.entries[0]?.sequence ?? Number.POSITIVE_INFINITY;
    const last = before?.entries.at(-1)?.sequence ?? Number.NEGATIVE_INFINITY;
    for (const entry of after?.entries.slice(indexBehind(after.entries, last)) ?? []) this.#add(entry, now);
    for (const entry of before?.entries ?? []) {
      if (entry.sequence >= first) break;
      this.#remove(entry);
    }
  }

  #add(entry: Entry, now: number): void {
    for (const place of placesOf(entry)) {
      const listing = this.#listings.get(place);
      if (listing === undefined) this.#listings.set(place, { since: now, count: 1 });
      else listing.count += 1;
    }
  }

  #remove(entry: Entry): void {
    for (const place of placesOf(entry)) {
      const listing = this.#listings.get(place);
      if (listing === undefined) continue;
      listing.count -= 1;
      if (listing.count === 0) this.#listings.delete(place);
    }
  }
}

/** Numbers go on without a hole. */
function indexBehind(entries: readonly Entry[], sequence: number): number {
  const first = entries[0]?.sequence ?? 0;
  return Math.min(entries.length, Math.max(0, sequence + 1 - first));
}

/** What an entry needs to be played: its bytes, its initialisation section, its keys. */
export function* placesOf(entry: Entry): Iterable<string> {
  if (!entry.fetchable) return;
  yield placeOf(entry.target, entry.range);
  for (const { target, range } of entry.needs) yield placeOf(target, range);
}
