// Who watches which node of a session: one watch at the server for any number of listeners.

import { FleetError, maxWatchedBytes, maxWatches, type WatchKind } from './session.js';

interface Watched {
  readonly path: string;
  readonly what: WatchKind;
  readonly listeners: Set<() => void>;
}

const keyOf = (path: string, what: WatchKind) => `${what} ${path}`;
const bytesOf = (path: string) => Buffer.byteLength(path) + 4;

/** The watches of a session. `first` and `last` are told of paths that begin and cease to be watched. */
export class WatchTable {
  readonly #watched = new Map<string, Watched>();
  #bytes = 0;
  readonly #first: (path: string, what: WatchKind) => void;
  readonly #last: (path: string, what: WatchKind) => void;

  constructor(first: (path: string, what: WatchKind) => void, last: (path: string, what: WatchKind) => void) {
    this.#first = first;
    this.#last = last;
  }

  /** @returns ends it. @throws FleetError `busy` beyond the bounds */
  add(path: string, what: WatchKind, changed: () => void): () => void {
    const key = keyOf(path, what);
    const watched = this.#watched.get(key) ?? this.#open(key, path, what);
    // The same function may watch twice.
    const listener = () => changed();
    watched.listeners.add(listener);
    if (watched.listeners.size === 1) this.#first(path, what);
    else queueMicrotask(() => watched.listeners.has(listener) && changed());
    return () => {
      if (!watched.listeners.delete(listener) || watched.listeners.size > 0) return;
      this.#watched.delete(key);
      this.#bytes -= bytesOf(path);
      this.#last(path, what);
    };
  }

  has(path: string, what: WatchKind): boolean {
    return this.#watched.has(keyOf(path, what));
  }

  changed(path: string, what: WatchKind): void {
    const listeners = this.#watched.get(keyOf(path, what))?.listeners;
    for (const listener of [...(listeners ?? [])]) if (listeners?.has(listener)) listener();
  }

  /** All that are watched now. */
  all(): { readonly path: string; readonly what: WatchKind }[] {
    return [...this.#watched.values()].map(({ path, what }) => ({ path, what }));
  }

  #open(key: string, path: string, what: WatchKind): Watched {
    const bytes = bytesOf(path);
    if (this.#watched.size >= maxWatches || this.#bytes + bytes > maxWatchedBytes) {
      throw new FleetError('busy', `watch ${path}`);
    }
    const watched = { path, what, listeners: new Set<() => void>() };
    this.#watched.set(key, watched);
    this.#bytes += bytes;
    return watched;
  }
}
