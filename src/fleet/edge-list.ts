// Follows who is there: the names of all edges in service, by site. Every edge follows it, so what is read when it changes is read by
// all at once. Therefore each waits for a time that is drawn and that grows with the number of edges, and reads what changed
// meanwhile in one: however many edges there are, together they read at most some hundred lists a second.

import type { FleetClock } from './clock.js';
import { edgesIn, folderPath, sitePath, sitesIn } from './edge-paths.js';
import type { EdgeNode } from './edge-record.js';
import type { FleetSession } from './session.js';

/** Between a change and the next look, in ms: at least, and drawn from so much more for each edge that is known. */
const minPauseMs = 1_000;
const pauseMsPerEdge = 10;
/** After a look that failed, in ms. */
const retryMs = 5_000;

export interface EdgeListTools {
  readonly session: FleetSession;
  readonly root: string;
  /** The list is another one, or can be followed again, or not. */
  readonly changed: () => void;
  readonly clock: FleetClock;
}

/** What is followed of one list of children. */
interface Followed {
  /** What stands there, sites or edges; undefined before it was read in this session. */
  sites: readonly string[] | undefined;
  edges: readonly EdgeNode[] | undefined;
  end: () => void;
  /** Ends the wait for the next watch. */
  stopWaiting: () => void;
}

const nothing = () => {};

/** The edges in service, from the first look on until `close`. While the session is away, those that it last saw. */
export class EdgeList {
  readonly #tools: EdgeListTools;
  readonly #folder: string;
  readonly #followed = new Map<string, Followed>();
  readonly #unsubscribe: () => void;
  #sites: ReadonlyMap<string, readonly EdgeNode[]> = new Map();
  #size = 0;
  #isCurrent = false;

  constructor(tools: EdgeListTools) {
    this.#tools = tools;
    this.#folder = folderPath(tools.root, 'edges');
    this.#unsubscribe = tools.session.subscribe(({ kind }) => {
      if (kind === 'connected') this.#restart();
      else this.#pause();
    });
  }

  /** By site. Two with one name are two edges that were given the same, or one that has just started again. */
  get sites(): ReadonlyMap<string, readonly EdgeNode[]> {
    return this.#sites;
  }

  /** Whether it is followed now and was read as a whole. */
  get isCurrent(): boolean {
    return this.#isCurrent;
  }

  get size(): number {
    return this.#size;
  }

  close(): void {
    this.#unsubscribe();
    this.#stop();
  }

  /** What it knows is kept, and is not said to be current before all of it was read again. */
  #restart(): void {
    this.#stop();
    this.#follow(this.#folder);
  }

  #pause(): void {
    this.#stop();
    if (!this.#isCurrent) return;
    this.#isCurrent = false;
    this.#tools.changed();
  }

  #stop(): void {
    for (const path of [...this.#followed.keys()]) this.#leave(path);
  }

  #leave(path: string): void {
    const followed = this.#followed.get(path);
    if (followed === undefined) return;
    this.#followed.delete(path);
    followed.stopWaiting();
    followed.end();
  }

  #follow(path: string): void {
    const followed: Followed = { sites: undefined, edges: undefined, end: nothing, stopWaiting: nothing };
    this.#followed.set(path, followed);
    this.#watch(path, followed);
  }

  #watch(path: string, followed: Followed): void {
    let isSet = false;
    try {
      followed.end = this.#tools.session.watch(path, 'children', () => {
        if (!isSet) {
          isSet = true;
          void this.#read(path, followed);
          return;
        }
        // Of what happens until the pause is over only the end is looked at.
        followed.end();
        this.#watchAfter(this.#pauseMs(), path, followed);
      });
    } catch {
      this.#watchAfter(retryMs, path, followed);
    }
  }

  #watchAfter(ms: number, path: string, followed: Followed): void {
    followed.stopWaiting();
    followed.stopWaiting = this.#tools.clock.after(ms, () => this.#watch(path, followed));
  }

  #pauseMs(): number {
    return minPauseMs + this.#tools.clock.random() * pauseMsPerEdge * this.size;
  }

  async #read(path: string, followed: Followed): Promise<void> {
    const children = await this.#tools.session.children(path).then(
      (names) => names ?? [],
      () => undefined,
    );
    if (this.#followed.get(path) !== followed) return;
    if (children === undefined) {
      followed.end();
      return this.#watchAfter(retryMs, path, followed);
    }
    if (path === this.#folder) {
      followed.sites = sitesIn(children);
      this.#followSites(followed.sites);
    } else followed.edges = edgesIn(children);
    this.#take();
  }

  #followSites(sites: readonly string[]): void {
    const paths = new Set(sites.map((site) => this.#pathOf(site)));
    for (const path of [...this.#followed.keys()]) if (path !== this.#folder && !paths.has(path)) this.#leave(path);
    for (const path of paths) if (!this.#followed.has(path)) this.#follow(path);
  }

  /** A whole list takes the place of the one before; a part of one does not. */
  #take(): void {
    const sites = new Map<string, readonly EdgeNode[]>();
    let size = 0;
    for (const site of this.#followed.get(this.#folder)?.sites ?? []) {
      const edges = this.#followed.get(this.#pathOf(site))?.edges;
      if (edges === undefined) return;
      sites.set(site, edges);
      size += edges.length;
    }
    this.#sites = sites;
    this.#size = size;
    this.#isCurrent = true;
    this.#tools.changed();
  }

  #pathOf(site: string): string {
    return sitePath(this.#tools.root, 'edges', site);
  }
}
