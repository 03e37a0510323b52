// The order of things in a tree watch, where a real server cannot be made to answer so: late, lost, without its events.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, mock, test } from 'node:test';
import { type TreeReader, TreeWatch } from '../../src/registry/tree-watch.js';
import { rc, type Stat } from '../../src/registry/zookeeper-client.js';
import { compilePattern, type TreePattern } from '../../src/tree-pattern.js';
import { RecordingSink } from '../support/recording-sink.js';

const stat = (ctime: number): Stat => ({ czxid: 1, ctime, version: 0, mtime: 1, ephemeral: false, mine: false });
const settlingMs = 8_000;
const limits = { endpoints: 1_000, endpointsPerChannel: 1_000 };

/** A tree whose answers come when the test says so, in order, and which never fires a watch. */
class HeldTree implements TreeReader {
  readonly nodes = new Map<string, string>();
  private readonly held: (() => void)[] = [];
  /** The most answers that were waited for at once. */
  most = 0;
  /** What every read is answered with. */
  code: number = rc.ok;
  /** When the root was made. */
  rootMade = 1;

  get(path: string, _: boolean, done: (code: number, data: Uint8Array, stat: Stat | undefined) => void): void {
    const data = this.nodes.get(path);
    this.hold(() => done(data === undefined ? rc.noNode : this.code, Buffer.from(data ?? ''), stat(1)));
  }

  children(path: string, _: boolean, done: (code: number, names: readonly string[]) => void): void {
    const below = [...this.nodes.keys()].filter((each) => each.slice(0, each.lastIndexOf('/')) === path);
    const names = below.map((each) => each.slice(path.length + 1));
    this.hold(() => done(this.nodes.has(path) ? this.code : rc.noNode, names));
  }

  sync(_: string, done: (code: number) => void): void {
    this.hold(() => done(this.code));
  }

  exists(path: string, _: boolean, done: (code: number, stat: Stat | undefined) => void): void {
    this.hold(() => (this.nodes.has(path) ? done(rc.ok, stat(this.rootMade)) : done(rc.noNode, undefined)));
  }

  /** Gives all answers, and those to what they lead to. */
  answer(): void {
    for (let next = this.held.shift(); next !== undefined; next = this.held.shift()) next();
  }

  private hold(answer: () => void): void {
    this.held.push(answer);
    this.most = Math.max(this.most, this.held.length);
  }
}

function watching(nodes: Record<string, string>, known = false, chrootBytes = 0) {
  const tree = new HeldTree();
  for (const [path, data] of Object.entries(nodes)) tree.nodes.set(path, data);
  const sink = new RecordingSink();
  const one = compilePattern('/r/{channel}/{endpoint}') as TreePattern;
  const options = {
    trees: [{ pattern: one, formats: 'auto' as const }],
    ...{ readDepth: 3, chrootBytes, known, settlingMs, limits, now: Date.now, maxSessions: 1 },
    ...{ openSession: () => {}, random: () => 0 },
  };
  return { tree, sink, watch: new TreeWatch(options, sink) };
}

const news = { '/r': '', '/r/news': '', '/r/news/a': 'a:80', '/r/news/b': 'b:80' };

test('reads under way at once are bounded', () => {
  const children = Array.from({ length: 50 }, (_, i) => [`/r/news/${i}`, `o:${i + 1}`] as const);
  const { tree, sink, watch } = watching({ '/r': '', '/r/news': '', ...Object.fromEntries(children) });
  watch.connected(0, tree);
  tree.answer();
  assert.equal(sink.endpoints.size, 50);
  assert.equal(tree.most, 3);
  watch.release();
});

test('a reconcile tells what lost watches hid, as changes', () => {
  const { tree, sink, watch } = watching(news);
  watch.connected(0, tree);
  tree.answer();
  tree.nodes.delete('/r/news/a');
  tree.nodes.set('/r/news/c', 'c:80');
  watch.reconcile();
  tree.answer();
  assert.deepEqual(sink.sequence, ['replace', 'live', 'drop', 'put']);
  assert.deepEqual(sink.addresses('news'), ['b:80', 'c:80']);
  watch.release();
});

test('a connection lost in the middle of a full read tells nothing of it, and late answers are ignored', () => {
  const { tree, sink, watch } = watching(news);
  watch.connected(0, tree);
  tree.answer();
  watch.disconnected(0);
  const emptied = new HeldTree();
  emptied.nodes.set('/r', '');
  watch.connected(0, emptied);
  watch.disconnected(0);
  emptied.answer();
  assert.deepEqual(sink.sequence, ['replace', 'live', 'stale']);
  assert.equal(sink.endpoints.size, 2);
  watch.connected(0, tree);
  tree.answer();
  assert.deepEqual(sink.sequence, ['replace', 'live', 'stale', 'replace', 'live']);
  watch.release();
});

test('lost answers that no session event follows are asked for again', () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  const { tree, sink, watch } = watching(news);
  tree.code = rc.operationTimeout;
  watch.connected(0, tree);
  tree.answer();
  assert.deepEqual(sink.sequence, []);
  tree.code = rc.ok;
  mock.timers.tick(1_000);
  tree.answer();
  assert.deepEqual(sink.sequence, ['replace', 'live']);
  watch.release();
  mock.timers.reset();
});

test('a root that may not be read is noted once and counted, and read again until it may', () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  const { tree, sink, watch } = watching(news);
  tree.code = rc.noAuth;
  watch.connected(0, tree);
  for (let i = 0; i < 5; i++) {
    tree.answer();
    mock.timers.tick(10_000);
  }
  assert.deepEqual(
    sink.notes.filter(({ kind }) => kind === 'skipped'),
    [{ kind: 'skipped', reason: 'no_auth', path: '/r' }],
  );
  const census = () => sink.notes.filter((note) => note.kind === 'census').at(-1);
  assert.deepEqual(census(), { kind: 'census', skipped: { no_auth: 1 }, unknown: {} });
  tree.code = rc.ok;
  tree.answer();
  mock.timers.tick(10_000);
  tree.answer();
  assert.equal(sink.state, 'live');
  assert.deepEqual(census(), { kind: 'census', skipped: {}, unknown: {} });
  watch.release();
  mock.timers.reset();
});

test('that the root is missing is noted once, and before an empty picture is told', () => {
  const { tree, sink, watch } = watching({});
  watch.connected(0, tree);
  tree.answer();
  watch.disconnected(0);
  watch.connected(0, tree);
  tree.answer();
  const missing = sink.notes.filter(({ kind }) => kind === 'missing');
  assert.deepEqual(missing, [{ kind: 'missing', node: 'root', path: '/r' }]);
  watch.release();
});

test('a chroot that does not exist is told from a root that does not', () => {
  for (const [node, nodes] of [
    ['chroot', {}],
    ['root', { '/': '' }],
  ] as const) {
    const { tree, sink, watch } = watching(nodes, false, 5);
    watch.connected(0, tree);
    tree.answer();
    assert.deepEqual(sink.sequence, ['replace', 'live']);
    const missing = sink.notes.filter(({ kind }) => kind === 'missing');
    assert.deepEqual(missing, [{ kind: 'missing', node, path: '/r' }]);
    watch.release();
  }
});

describe('a root that is missing or new', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout', 'Date'] }));
  afterEach(() => mock.timers.reset());

  test('a missing root is empty on a first start', () => {
    const { tree, sink, watch } = watching({});
    watch.connected(0, tree);
    tree.answer();
    assert.deepEqual(sink.sequence, ['replace', 'live']);
    tree.nodes.set('/r', '').set('/r/news', 'a:80');
    watch.event(0, 'created', '/r');
    tree.answer();
    assert.deepEqual(sink.addresses('news'), ['a:80']);
    watch.disconnected(0);
    watch.connected(0, tree);
    tree.answer();
    assert.equal(sink.state, 'live', 'its first root is not a new one');
    watch.release();
  });

  test('a missing root is no picture when something is known, and origins have time to return below a new one', () => {
    const { tree, sink, watch } = watching({}, true);
    watch.connected(0, tree);
    tree.answer();
    assert.deepEqual(sink.sequence, []);
    tree.nodes.set('/r', '').set('/r/news', 'a:80');
    watch.event(0, 'created', '/r');
    tree.answer();
    mock.timers.tick(settlingMs - 1);
    tree.answer();
    assert.deepEqual(sink.sequence, []);
    tree.nodes.set('/r/sport', 'b:80');
    mock.timers.tick(2);
    tree.answer();
    assert.deepEqual(sink.sequence, ['replace', 'live']);
    assert.equal(sink.endpoints.size, 2);
    watch.release();
  });

  test('a root that was made anew while nobody looked is waited for like a missing one', () => {
    const { tree, sink, watch } = watching(news);
    watch.connected(0, tree);
    tree.answer();
    watch.disconnected(0);
    tree.rootMade = 2;
    for (const path of Object.keys(news).slice(1)) tree.nodes.delete(path);
    watch.connected(0, tree);
    tree.answer();
    mock.timers.tick(settlingMs / 2);
    // Another session meanwhile does not make it wait longer, nor less.
    watch.disconnected(0);
    watch.connected(0, tree);
    tree.answer();
    watch.event(0, 'child', '/r');
    watch.reconcile();
    tree.answer();
    mock.timers.tick(settlingMs / 2 - 1);
    tree.answer();
    assert.deepEqual(sink.sequence, ['replace', 'live', 'stale']);
    mock.timers.tick(2);
    tree.answer();
    assert.deepEqual(sink.sequence, ['replace', 'live', 'stale', 'replace', 'live']);
    watch.disconnected(0);
    watch.connected(0, tree);
    tree.answer();
    assert.equal(sink.state, 'live', 'once read it is the root that is known');
    watch.release();
  });
});

test('a node that is deleted while everything is read again is missing in the picture, and not told before it', () => {
  const { tree, sink, watch } = watching(news);
  watch.connected(0, tree);
  tree.answer();
  watch.disconnected(0);
  watch.connected(0, tree);
  tree.nodes.delete('/r/news/a');
  watch.event(0, 'deleted', '/r/news/a');
  assert.deepEqual(sink.sequence, ['replace', 'live', 'stale']);
  tree.answer();
  assert.deepEqual(sink.sequence, ['replace', 'live', 'stale', 'replace', 'live']);
  assert.deepEqual(sink.addresses('news'), ['b:80']);
  watch.release();
});
