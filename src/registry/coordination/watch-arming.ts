// How ZooKeeper's one-time watches are set: of a node that exists, and of one that does not yet.

import { isLost, rc, type WatchEvent, type ZooKeeperClient } from '../zookeeper-client.js';
import type { WatchKind } from './session.js';

const kindsByEvent: Readonly<Record<WatchEvent, readonly WatchKind[]>> = {
  created: ['data', 'children'],
  changed: ['data'],
  child: ['children'],
  deleted: ['data', 'children'],
};

/** Whose watches an event used up. */
export const kindsOf = (event: WatchEvent): readonly WatchKind[] => kindsByEvent[event];

/** Sets a watch. `done` says whether the connection was lost before the answer. A node that may not be read is not watched. */
export function armWatch(client: ZooKeeperClient, path: string, what: WatchKind, done: (lost: boolean) => void): void {
  if (what === 'data') return client.exists(path, true, (code) => done(isLost(code)));
  client.children(path, true, (code) => {
    if (code !== rc.noNode) return done(isLost(code));
    // There is no list yet: its creation is watched.
    client.exists(path, true, (code) => {
      if (code === rc.ok) armWatch(client, path, what, done);
      else done(isLost(code));
    });
  });
}
