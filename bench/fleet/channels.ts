// What following the channels costs an edge at ZooKeeper, by count, from the code that follows them: reads and watches of a tree in
// memory, and what one change of each kind leads to.

import { setImmediate as turn } from 'node:timers/promises';
import { TreeWatch } from '../../src/registry/tree-watch.js';
import { compileTrees } from '../../src/registry/trees.js';
import { RecordingSink } from '../../test/support/recording-sink.js';
import { type Session, WatchedTree } from '../../test/support/watched-tree.js';

/** Questions of one edge to ZooKeeper. */
export interface ChannelCosts {
  /** For each channel, once: reads that set its watches. */
  readonly firstRead: number;
  /** For one report of an endpoint. */
  readonly report: number;
  /** For an endpoint that comes, and one that goes. */
  readonly comes: number;
  readonly goes: number;
}

const data = (load: number) => JSON.stringify({ service_address: '10.0.0.1:80', load });

/** Counts them with so many channels of `endpoints` each. */
export async function channelCosts(channels: number, endpoints: number): Promise<ChannelCosts> {
  const tree = new WatchedTree({ '/r': '' });
  for (let i = 0; i < channels; i++) {
    tree.set(`/r/c${i}`, '');
    for (let j = 0; j < endpoints; j++) tree.set(`/r/c${i}/e${j}`, data(0));
  }
  const sessions: Session[] = [];
  const open = (number: number) => {
    sessions[number] = tree.session((event, path) => watch.event(number, event, path));
    if (number > 0) watch.connected(number, sessions[number] as Session, true);
  };
  const watch: TreeWatch = new TreeWatch(
    {
      trees: compileTrees([{ path: '/r/{channel}/{endpoint}', formats: 'auto' }]),
      ...{ readDepth: 500, chrootBytes: 0, known: false, settlingMs: 8_000, maxSessions: 32, openSession: open },
      ...{ limits: { endpoints: 1_000_000, endpointsPerChannel: 1_000 }, now: () => 1, random: () => 0 },
    },
    new RecordingSink(),
  );
  const asked = () => sessions.reduce((sum, session) => sum + session.asked.length, 0);
  const settle = async () => {
    for (let before = -1; before !== asked(); ) {
      before = asked();
      tree.settle();
      await turn();
    }
  };
  const costOf = async (change: () => void) => {
    const before = asked();
    change();
    await settle();
    return asked() - before;
  };
  const firstRead = await costOf(() => {
    open(0);
    watch.connected(0, sessions[0] as Session, true);
  });
  const report = await costOf(() => tree.write('/r/c1/e1', data(0.5)));
  const comes = await costOf(() => tree.set('/r/c1/new', data(0.5)));
  const goes = await costOf(() => tree.remove('/r/c1/new'));
  watch.release();
  return { firstRead: firstRead / channels, report, comes, goes };
}
