// Pure: what all workers report, as one edge.

import type { HlsReport, RelayJson, Views } from '../data-plane/contract.js';
import type { Answers } from './messages.js';

/** Each session is told by the worker that owns its channel; the caches of all are counted. */
export function joinHls(byWorker: readonly HlsReport[]): HlsReport {
  return {
    sessions: byWorker.flatMap(({ sessions }) => sessions),
    cache: {
      objects: byWorker.reduce((sum, { cache }) => sum + cache.objects, 0),
      bytes: byWorker.reduce((sum, { cache }) => sum + cache.bytes, 0),
    },
  };
}

/** A stream that workers take from each other is one stream. */
export function joinRelays(byWorker: readonly (readonly RelayJson[])[]): RelayJson[] {
  const joined = new Map<string, RelayJson>();
  // The owner's report is the one with an endpoint of the registry.
  const all = byWorker.flat().sort((a, b) => Number(a.from_worker) - Number(b.from_worker));
  for (const relay of all) {
    const known = joined.get(relay.path);
    joined.set(relay.path, known === undefined ? relay : { ...known, viewers: addViewers(known, relay) });
  }
  return [...joined.values()];
}

function addViewers({ viewers: a }: RelayJson, { viewers: b }: RelayJson): RelayJson['viewers'] {
  return {
    http: a.http + b.http,
    websocket: a.websocket + b.websocket,
    workers: a.workers + b.workers,
    waiting: a.waiting + b.waiting,
  };
}

type Joins = {
  readonly [Name in keyof Views]: (byWorker: readonly Answers[Name][]) => Answers[Name];
};

/** How the same view of several workers becomes one. */
export const joins: Joins = { relays: joinRelays, hls: joinHls };

/** All views, for the admin API. */
export function viewsBy(see: <Name extends keyof Views>(name: Name) => Promise<unknown>) {
  const names = Object.keys(joins) as (keyof Views)[];
  return Object.fromEntries(names.map((name) => [name, () => see(name)]));
}
