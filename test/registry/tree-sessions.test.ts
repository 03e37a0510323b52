// Trees of every shape, and watches spread over sessions, in a tree in memory that fires its watches.

import assert from 'node:assert/strict';
import { afterEach, describe, mock, test } from 'node:test';
import { TreeWatch } from '../../src/registry/tree-watch.js';
import { compileTrees, type TreeSetting } from '../../src/registry/trees.js';
import { RecordingSink } from '../support/recording-sink.js';
import { type Session, WatchedTree } from '../support/watched-tree.js';

const auto = 'auto' as const;
const settlingMs = 8_000;
const release: (() => void)[] = [];
afterEach(() => {
  for (const each of release.splice(0)) each();
});

function follow(
  tree: WatchedTree,
  trees: readonly TreeSetting[],
  { maxSessions = 1, endpoints = 10_000, known = false, readDepth = 20 } = {},
) {
  const sink = new RecordingSink();
  const sessions: Session[] = [];
  const limits = { endpoints, endpointsPerChannel: 5_000 };
  const open = (number: number) => {
    sessions[number] = tree.session((event, path) => watch.event(number, event, path));
  };
  const watch: TreeWatch = new TreeWatch(
    {
      trees: compileTrees(trees),
      ...{ readDepth, chrootBytes: 0, known, settlingMs, limits, maxSessions, openSession: open },
      ...{ now: () => Date.now(), random: () => 0 },
    },
    sink,
  );
  open(0);
  release.push(() => watch.release());
  /** A connection for a session: of a new one without watches, or of the same one. */
  const connect = (number: number, fresh = true) => {
    if (fresh) {
      sessions[number]?.end();
      open(number);
    }
    const session = sessions[number];
    assert.ok(session);
    watch.connected(number, session, fresh);
  };
  return { sink, watch, sessions, connect };
}

const found = (sink: RecordingSink) =>
  [...sink.endpoints.values()].map(({ channel, address }) => `${channel} ${address}`).sort();

describe('a tree of any shape is read and followed', () => {
  const shapes: { settings: TreeSetting; nodes: Record<string, string>; expected: string[]; path: string }[] = [
    {
      settings: { path: '/go/{endpoint}', channel: 'news', formats: auto },
      nodes: { '/go': '', '/go/o:80': '' },
      expected: ['news o:80'],
      path: '/go/o:81',
    },
    {
      settings: { path: '/{service}/{channel}/{endpoint}', formats: auto },
      nodes: { '/zookeeper': '', '/zookeeper/quota': 'o:1', '/v': '', '/v/news': '', '/v/news/o:80': '' },
      expected: ['news o:80'],
      path: '/v/news/o:81',
    },
    {
      settings: { path: '/{service}/{channel}', formats: auto },
      nodes: { '/v': '', '/v/news': 'o:80' },
      expected: ['news o:80'],
      path: '/v/sport',
    },
    {
      settings: { path: '/d/{channel}/providers/{endpoint}', formats: auto },
      nodes: { '/d': '', '/d/news': '10.1.1.1', '/d/news/providers': '', '/d/news/providers/o:80': '' },
      expected: ['news o:80'],
      path: '/d/news/providers/o:81',
    },
    {
      settings: { path: '/{channel}/{endpoint}', formats: auto },
      nodes: { '/zookeeper': '', '/zookeeper/o:1': '', '/news': '', '/news/o:80': '' },
      expected: ['news o:80'],
      path: '/news/o:81',
    },
    {
      settings: { path: '/{channel}', formats: auto },
      nodes: { '/zookeeper': 'o:1', '/news': 'o:80' },
      expected: ['news o:80'],
      path: '/sport',
    },
    {
      settings: { path: '/{endpoint}', channel: 'news', formats: auto },
      nodes: { '/zookeeper': 'o:1', '/o:80': '' },
      expected: ['news o:80'],
      path: '/o:81',
    },
    {
      settings: { path: '/s/{channel}/{endpoint}/status', formats: auto },
      nodes: { '/s': '', '/s/news': '', '/s/news/a': '', '/s/news/a/status': 'o:80', '/s/news/b': '' },
      expected: ['news o:80'],
      path: '/s/news/b/status',
    },
  ];
  for (const { settings, nodes, expected, path } of shapes) {
    test(settings.path, () => {
      const tree = new WatchedTree(nodes);
      const { sink, connect } = follow(tree, [settings]);
      connect(0);
      tree.settle();
      assert.equal(sink.state, 'live');
      assert.deepEqual(found(sink), expected);
      tree.set(path, 'o:81');
      tree.settle();
      assert.equal(sink.endpoints.size, 2);
      // Made again at once: another endpoint.
      const before = [...sink.endpoints.keys()];
      tree.set(path, 'o:81');
      tree.settle();
      assert.equal(sink.endpoints.size, 2);
      assert.notDeepEqual([...sink.endpoints.keys()], before);
      tree.remove(path);
      tree.settle();
      assert.deepEqual(found(sink), expected);
      assert.equal(sink.state, 'live');
    });
  }
});

test('fixed names that a channel does not have yet are waited for', () => {
  const tree = new WatchedTree({ '/d': '', '/d/news': '' });
  const { sink, connect } = follow(tree, [{ path: '/d/{channel}/providers/{endpoint}', formats: auto }]);
  connect(0);
  tree.settle();
  assert.deepEqual(sink.sequence, ['replace', 'live']);
  for (let round = 0; round < 2; round++) {
    tree.set('/d/news/providers', '');
    tree.set('/d/news/providers/o:80', '');
    tree.settle();
    assert.deepEqual(found(sink), ['news o:80']);
    tree.remove('/d/news/providers');
    tree.settle();
    assert.deepEqual(found(sink), []);
  }
  assert.deepEqual(
    sink.notes.filter(({ kind }) => kind === 'skipped'),
    [],
  );
});

test('several trees are followed at once, a channel in two of them is one, and only listed formats are read', () => {
  const tree = new WatchedTree({
    '/a': '',
    '/a/news': '',
    '/a/news/1': 'o:80',
    '/b': '',
    '/b/o:81': '',
    '/b/x': 'o:82',
  });
  const { sink, connect } = follow(tree, [
    { path: '/a/{channel}/{endpoint}', formats: auto },
    { path: '/b/{endpoint}', channel: 'news', formats: ['name'] },
    { path: '/c/{channel}', formats: auto },
  ]);
  connect(0);
  tree.settle();
  assert.equal(sink.state, 'live', 'a base that is missing is an empty tree');
  assert.deepEqual(found(sink), ['news o:80', 'news o:81']);
  tree.set('/c', '');
  tree.set('/c/sport', 'o:83');
  tree.settle();
  assert.deepEqual(found(sink), ['news o:80', 'news o:81', 'sport o:83']);
  assert.deepEqual(sink.sequence, ['replace', 'live', 'put'], 'a new tree changes nothing of the others');
});

test('a base that goes takes nothing with it that was not seen to go, and the other trees are followed', () => {
  mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  release.push(() => mock.timers.reset());
  const tree = new WatchedTree({ '/a': '', '/a/news': 'o:80', '/b': '', '/b/sport': 'o:81' });
  const { sink, watch, connect } = follow(tree, [
    { path: '/a/{channel}', formats: auto },
    { path: '/b/{channel}', formats: auto },
  ]);
  connect(0);
  tree.settle();
  watch.disconnected(0);
  tree.remove('/a');
  connect(0);
  tree.settle();
  assert.equal(sink.state, 'stale');
  assert.deepEqual(found(sink), ['news o:80', 'sport o:81']);
  tree.set('/b/films', 'o:82');
  tree.settle();
  assert.equal(sink.endpoints.size, 3);
  tree.set('/a', '');
  tree.set('/a/news', 'o:83');
  tree.settle();
  assert.equal(sink.state, 'stale', 'origins have time to return');
  mock.timers.tick(settlingMs + 1);
  tree.settle();
  assert.equal(sink.state, 'live');
  assert.deepEqual(found(sink), ['films o:82', 'news o:83', 'sport o:81']);
});

test('a node that may not be read is asked for again by the next full read, and not with every new sibling', () => {
  const tree = new WatchedTree({ '/r': '', '/r/news': '', '/r/news/a': 'o:80' });
  tree.denied.add('/r/news/a');
  const { sink, watch, sessions, connect } = follow(tree, [{ path: '/r/{channel}/{endpoint}', formats: auto }]);
  connect(0);
  tree.settle();
  for (let port = 81; port < 91; port++) {
    tree.set(`/r/news/${port}`, `o:${port}`);
    tree.settle();
  }
  const asked = () => sessions[0]?.asked.filter((what) => what === 'get /r/news/a').length;
  assert.equal(asked(), 1);
  assert.equal(sink.endpoints.size, 10);
  tree.denied.clear();
  watch.reconcile();
  tree.settle();
  assert.equal(sink.endpoints.size, 11);
});

describe('more watches than one session may have', () => {
  const long = 'n'.repeat(240);
  const longer = 'n'.repeat(1_900);
  const trees = [{ path: '/r/{channel}/{endpoint}', formats: auto }];
  const nodes: Record<string, string> = { '/r': '' };
  for (let channel = 0; channel < 150; channel++) {
    nodes[`/r/${channel}-${long}`] = '';
    for (let child = 0; child < 4; child++) nodes[`/r/${channel}-${long}/${child}-${longer}`] = 'o:80';
  }
  const all = 600;
  /** Those that one session asked for the data of. */
  const dataOf = ({ asked }: Session) => asked.filter((what) => what.startsWith('get ')).length;

  /** Connects what was opened, until nothing more is opened. */
  function connectAll({ sessions, connect }: ReturnType<typeof follow>, tree: WatchedTree): void {
    for (let number = 0; number < sessions.length; number++) {
      connect(number);
      tree.settle();
    }
  }

  test('are spread over several, each below what one packet holds, and only all together are live', () => {
    const tree = new WatchedTree(nodes);
    const following = follow(tree, trees, { maxSessions: 9 });
    const { sink, sessions, connect } = following;
    connect(0);
    tree.settle();
    assert.equal(sink.state, 'pending', 'another session is awaited');
    connectAll(following, tree);
    assert.equal(sink.state, 'live');
    assert.equal(sink.endpoints.size, all);
    assert.ok(sessions.length >= 3 && sessions.length <= 5, `${sessions.length} sessions`);
    const watched = sink.notes.filter((note) => note.kind === 'watched').at(-1);
    assert.ok(watched?.kind === 'watched' && watched.bytes < 800_000 && !watched.alarm, JSON.stringify(watched));
    assert.equal(watched.sessions, sessions.length);
    const reads = sessions.reduce((sum, session) => sum + dataOf(session), 0);
    assert.ok(reads < 1.1 * (all + 150), `${reads} reads of ${all + 150} nodes`);
  });

  test('channels that turn out to be large are passed on before their endpoints are watched', () => {
    const tree = new WatchedTree(nodes);
    // All are listed before anything is known of how much is in them.
    const following = follow(tree, trees, { maxSessions: 9, readDepth: 1_000 });
    connectAll(following, tree);
    assert.equal(following.sink.endpoints.size, all);
    const watched = following.sink.notes.filter((note) => note.kind === 'watched').at(-1);
    assert.ok(watched?.kind === 'watched' && watched.bytes < 800_000 && !watched.alarm, JSON.stringify(watched));
  });

  test('a channel too large for any session is read, followed, an alarm, and its lost session is never resumed', () => {
    const large = '/r/large';
    const tree = new WatchedTree({ ...nodes, [large]: '' });
    for (let child = 0; child < 600; child++) tree.set(`${large}/${child}-${longer}`, 'o:80');
    const following = follow(tree, trees, { maxSessions: 9 });
    const { sink, watch, sessions } = following;
    connectAll(following, tree);
    assert.equal(sink.state, 'live');
    assert.equal(sink.endpoints.size, all + 600);
    const watched = sink.notes.filter((note) => note.kind === 'watched').at(-1);
    assert.ok(watched?.kind === 'watched' && watched.bytes > 1_000_000 && watched.alarm, JSON.stringify(watched));
    const lists = sessions.flatMap(({ asked }) => asked.filter((what) => what.endsWith(` ${large}`)));
    assert.ok(lists.length < 40, `it is passed on from session to session: ${lists.length} reads`);
    const holder = sessions.findIndex(({ asked }) => asked.includes(`get ${large}/0-${longer}`));
    const resumable = sessions.map((_, number) => !watch.disconnected(number));
    assert.deepEqual(
      resumable,
      sessions.map((_, number) => number !== holder),
      'ZooKeeper would refuse the packet that re-arms its watches',
    );
    connectAll(following, tree);
    assert.equal(sink.state, 'live');
    tree.set(`${large}/new`, 'o:99');
    tree.settle();
    assert.equal(sink.addresses('large').length, 601);
  });

  test('a lost session lets the rest stand, and reads its own share again when it is made anew', () => {
    const tree = new WatchedTree(nodes);
    const following = follow(tree, trees, { maxSessions: 9 });
    const { sink, watch, sessions, connect } = following;
    connectAll(following, tree);
    const before = sessions.map(dataOf);
    watch.disconnected(1);
    assert.equal(sink.state, 'stale');
    const [gone] = [...tree.nodes.keys()].filter(
      (path) => sessions[1]?.asked.includes(`get ${path}`) && path.split('/').length === 4,
    );
    assert.ok(gone);
    tree.remove(gone);
    tree.settle();
    assert.equal(sink.endpoints.size, all);
    connect(1);
    tree.settle();
    assert.equal(sink.state, 'live');
    assert.equal(sink.endpoints.size, all - 1);
    assert.equal(dataOf(sessions[0] as Session), before[0], 'the others read nothing again');
    assert.ok(dataOf(sessions[1] as Session) >= (before[1] ?? 0) * 0.9);
  });

  test('a connection that returns to its session lists its share, and reads only what it was asking for', () => {
    const tree = new WatchedTree(nodes);
    const following = follow(tree, trees, { maxSessions: 9 });
    const { sink, watch, sessions, connect } = following;
    connectAll(following, tree);
    const before = sessions.map(dataOf);
    watch.disconnected(2);
    connect(2, false);
    tree.settle();
    assert.equal(sink.state, 'live');
    assert.deepEqual(sessions.map(dataOf), before);
  });

  test('a channel that another session lists late is not lost when it is made again', () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    release.push(() => mock.timers.reset());
    const tree = new WatchedTree(nodes);
    const following = follow(tree, trees, { maxSessions: 9 });
    const { sink, sessions } = following;
    connectAll(following, tree);
    const [path] = [...tree.nodes.keys()].filter(
      (each) => sessions[1]?.asked.includes(`get ${each}`) && each.split('/').length === 3,
    );
    assert.ok(path);
    const other = sessions[1] as Session;
    other.held = true;
    tree.remove(path);
    tree.set(path, 'o:99');
    // The first session lists the root, where the name stands as before.
    tree.settle();
    other.held = false;
    tree.settle();
    mock.timers.tick(1_000);
    tree.settle();
    assert.deepEqual(found(sink).filter((line) => line.endsWith('o:99')).length, 1);
  });

  test('a channel that a session cannot see yet is asked for again behind a sync', () => {
    const tree = new WatchedTree(nodes);
    const following = follow(tree, trees, { maxSessions: 9 });
    const { sink, sessions } = following;
    connectAll(following, tree);
    const [first, last] = [sessions[0] as Session, sessions.at(-1) as Session];
    const { asked } = last;
    const start = asked.length;
    // Listed, and gone before it is read, which who listed it hears later.
    last.held = true;
    tree.set('/r/fleeting', 'o:98');
    tree.settle();
    tree.remove('/r/fleeting');
    first.held = true;
    last.held = false;
    tree.settle();
    first.held = false;
    tree.settle();
    assert.deepEqual(asked.slice(start), ['get /r/fleeting', 'sync /r/fleeting', 'exists /r/fleeting']);
    assert.equal(sink.endpoints.size, all);
  });
});
