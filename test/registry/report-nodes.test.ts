// A load report that many endpoints share, in a tree in memory that fires its watches.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { TreeWatch } from '../../src/registry/tree-watch.js';
import { compileTrees } from '../../src/registry/trees.js';
import { RecordingSink } from '../support/recording-sink.js';
import { type Session, WatchedTree } from '../support/watched-tree.js';

const release: (() => void)[] = [];
afterEach(() => {
  for (const each of release.splice(0)) each();
});

function follow(tree: WatchedTree, { maxSessions = 1, endpoints = 1_000, chrootBytes = 0 } = {}) {
  const sink = new RecordingSink();
  const sessions: Session[] = [];
  const open = (number: number) => {
    sessions[number] = tree.session((event, path) => watch.event(number, event, path));
  };
  const watch: TreeWatch = new TreeWatch(
    {
      trees: compileTrees([{ path: '/r/{channel}/{endpoint}', formats: 'auto' }]),
      ...{ readDepth: 20, chrootBytes, known: false, settlingMs: 8_000, maxSessions, openSession: open },
      ...{ limits: { endpoints, endpointsPerChannel: 1_000 }, now: () => 1, random: () => 0 },
    },
    sink,
  );
  open(0);
  release.push(() => watch.release());
  const connect = (number: number, fresh = true) => {
    if (fresh) {
      sessions[number]?.end();
      open(number);
    }
    watch.connected(number, sessions[number] as Session, fresh);
    tree.settle();
  };
  connect(0);
  const asked = (path: string) =>
    sessions.flatMap((session) => session.asked).filter((what) => what === `get ${path}`).length;
  return { sink, watch, sessions, connect, asked };
}

const naming = (report: string, more: object = {}) =>
  JSON.stringify({ service_address: 'o:80', load: 0.1, bitrate: 100, report, ...more });
const report = (values: object) => JSON.stringify(values);

/** Two endpoints of different channels that name `/servers/a`, and one that names none. */
function server(values: string | undefined): WatchedTree {
  const tree = new WatchedTree({ '/r': '', '/r/news': '', '/r/sport': '', '/servers': '' });
  tree.set('/r/news/1', naming('/servers/a'));
  tree.set('/r/sport/1', naming('/servers/a'));
  tree.set('/r/news/2', 'o:81');
  if (values !== undefined) tree.set('/servers/a', values);
  return tree;
}

const valuesOf = (sink: RecordingSink, channel: string) => {
  const endpoint = sink.of(channel).find(({ address }) => address === 'o:80');
  return [endpoint?.load, endpoint?.bitrate, endpoint?.packetLoss];
};
const versionOf = (sink: RecordingSink) => sink.of('news').find(({ address }) => address === 'o:80')?.version ?? -1;
const skippedNow = (sink: RecordingSink) => {
  const census = sink.notes.filter((note) => note.kind === 'census').at(-1);
  return census?.kind === 'census' ? census : undefined;
};

test('endpoints have the values of the report that they name, which is read once and told with the first picture', () => {
  const tree = server(report({ load: 0.5, packet_loss_rate: 0.01 }));
  const { sink, asked } = follow(tree);
  assert.deepEqual(sink.sequence, ['replace', 'live']);
  assert.deepEqual(valuesOf(sink, 'news'), [0.5, 100, 0.01], 'what the report does not say, the node says');
  assert.deepEqual(valuesOf(sink, 'sport'), [0.5, 100, 0.01]);
  assert.equal(asked('/servers/a'), 1);
});

test('a new report is one put for each endpoint that names it, also when it says the same as before', () => {
  const tree = server(report({ load: 0.5 }));
  const { sink, asked } = follow(tree);
  for (const [load, reads] of [
    [0.7, 2],
    [0.7, 3],
  ] as const) {
    const before = versionOf(sink);
    sink.told.length = 0;
    tree.write('/servers/a', report({ load }));
    tree.settle();
    assert.deepEqual(sink.sequence, ['put', 'put']);
    assert.deepEqual([valuesOf(sink, 'news')[0], valuesOf(sink, 'sport')[0]], [load, load]);
    assert.ok(versionOf(sink) > before);
    assert.equal(asked('/servers/a'), reads);
  }
});

test('a report that is missing is waited for, and one that goes leaves the endpoints their own values', () => {
  const tree = server(undefined);
  const { sink } = follow(tree);
  assert.equal(sink.state, 'live');
  for (let round = 0; round < 2; round++) {
    assert.deepEqual(valuesOf(sink, 'news'), [0.1, 100, undefined]);
    const before = versionOf(sink);
    tree.set('/servers/a', report({ load: 0.6 }));
    tree.settle();
    assert.deepEqual(valuesOf(sink, 'news'), [0.6, 100, undefined]);
    assert.ok(versionOf(sink) > before);
    tree.remove('/servers/a');
    tree.settle();
  }
  assert.deepEqual(sink.sequence.slice(2), Array(8).fill('put'), 'nothing is dropped');
});

test('a faulty value of a report is unknown, and so are all of one that cannot be read', () => {
  const tree = server(report({ load: 75, bitrate: 200 }));
  const { sink, watch } = follow(tree);
  assert.deepEqual(valuesOf(sink, 'news'), [undefined, 200, undefined]);
  assert.deepEqual(skippedNow(sink)?.unknown, { 'load above_one': 1 });
  tree.write('/servers/a', '{"load":');
  tree.settle();
  assert.deepEqual(valuesOf(sink, 'news'), [undefined, undefined, undefined]);
  tree.write('/servers/a', '');
  tree.settle();
  assert.deepEqual(valuesOf(sink, 'news'), [0.1, 100, undefined], 'without data it says nothing');
  tree.write('/servers/a', report({ load: 0.3 }));
  tree.denied.add('/servers/a');
  tree.settle();
  assert.deepEqual(valuesOf(sink, 'news'), [0.1, 100, undefined], 'what was known stands');
  tree.denied.clear();
  watch.reconcile();
  tree.settle();
  assert.deepEqual(valuesOf(sink, 'news'), [0.3, 100, undefined]);
  const faults = sink.notes.flatMap((note) => (note.kind === 'skipped' ? `${note.reason} ${note.path}` : []));
  assert.deepEqual(faults, ['bad_json /servers/a', 'no_auth /servers/a']);
});

test('nobody reads a report that nobody names any more', () => {
  const tree = server(report({ load: 0.5 }));
  const { sink, asked } = follow(tree);
  tree.remove('/r/news/1');
  tree.settle();
  tree.write('/servers/a', report({ load: 0.6 }));
  tree.settle();
  assert.deepEqual([valuesOf(sink, 'sport')[0], asked('/servers/a')], [0.6, 2]);
  tree.write('/r/sport/1', naming('/servers/b'));
  tree.settle();
  assert.deepEqual(valuesOf(sink, 'sport')[0], 0.1);
  tree.write('/servers/a', report({ load: 0.7 }));
  tree.settle();
  tree.write('/servers/a', report({ load: 0.8 }));
  tree.settle();
  assert.equal(asked('/servers/a'), 2);
  tree.write('/r/sport/1', naming('/servers/a'));
  tree.settle();
  assert.deepEqual([valuesOf(sink, 'sport')[0], asked('/servers/a')], [0.8, 3]);
});

test('a new session reads its reports again, and one that is resumed does not', () => {
  const tree = server(report({ load: 0.5 }));
  const { sink, watch, sessions, connect } = follow(tree);
  const asked = () => sessions[0]?.asked.filter((what) => what === 'get /servers/a').length;
  watch.disconnected(0);
  connect(0, false);
  assert.deepEqual([sink.state, asked()], ['live', 1]);
  watch.disconnected(0);
  sessions[0]?.end();
  tree.write('/servers/a', report({ load: 0.9 }));
  connect(0);
  assert.deepEqual([sink.state, asked(), valuesOf(sink, 'news')[0]], ['live', 1, 0.9]);
});

test('a report whose answer was lost is asked for again on the same session', () => {
  const tree = server(report({ load: 0.5 }));
  const { sink, watch, sessions, connect, asked } = follow(tree);
  const session = sessions[0] as Session;
  tree.write('/servers/a', report({ load: 0.9 }));
  // The event is told, and the answer to what it leads to is not.
  while (asked('/servers/a') < 2) assert.ok(session.turn());
  watch.disconnected(0);
  tree.settle();
  assert.equal(valuesOf(sink, 'news')[0], 0.5);
  connect(0, false);
  assert.deepEqual([sink.state, valuesOf(sink, 'news')[0]], ['live', 0.9]);
});

test('the watches of reports count for their session, with the chroot, and are spread over several', () => {
  const tree = new WatchedTree({ '/r': '', '/r/news': '' });
  const { sink, sessions, connect } = follow(tree, { maxSessions: 3, chrootBytes: 10 });
  const before = sink.notes.findLast((note) => note.kind === 'watched');
  for (let i = 0; i < 1_000; i++) tree.set(`/r/news/${i}`, naming(`/${'s'.repeat(900)}${i}`));
  tree.settle();
  for (let number = 1; number < sessions.length; number++) connect(number);
  tree.settle();
  assert.ok(sessions.length > 1);
  const again = follow(tree, { maxSessions: 1, chrootBytes: 10 });
  const after = again.sink.notes.findLast((note) => note.kind === 'watched');
  assert.ok(before?.kind === 'watched' && after?.kind === 'watched');
  const paths = (each: (i: number) => string) =>
    Array.from({ length: 1_000 }, (_, i) => each(i).length + 4 + 10).reduce((sum, bytes) => sum + bytes, 0);
  const added = paths((i) => `/r/news/${i}`) + paths((i) => `/${'s'.repeat(900)}${i}`);
  assert.equal(after.bytes - before.bytes, added);
});

test('of more reports than there may be endpoints the rest waits for room, with the values that the endpoints say', () => {
  const tree = new WatchedTree({ '/r': '', '/r/news': '', '/s': '' });
  for (let i = 0; i < 4; i++) tree.set(`/s/${i}`, report({ load: 0.5 }));
  tree.set('/r/news/1', naming('/s/0', { service_address: 'o:1' }));
  tree.set('/r/news/2', naming('/s/1', { service_address: 'o:2' }));
  const { sink, watch, connect } = follow(tree, { endpoints: 2 });
  const loads = () => sink.of('news').map(({ load }) => load);
  assert.deepEqual(loads(), [0.5, 0.5]);
  // The watch of the one that is not named any more stays.
  tree.write('/r/news/1', naming('/s/2', { service_address: 'o:1' }));
  tree.settle();
  assert.deepEqual(loads(), [0.1, 0.5]);
  assert.ok(sink.notes.some((note) => note.kind === 'skipped' && note.reason === 'too_many' && note.path === '/s/2'));
  watch.disconnected(0);
  connect(0);
  assert.deepEqual(loads(), [0.5, 0.5], 'a new session has room');
});
