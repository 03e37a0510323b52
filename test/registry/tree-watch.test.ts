// The order of things in a tree watch, where a real server cannot be made to answer so: late, lost, without its events.

import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { type TreeReader, TreeWatch } from '../../src/registry/tree-watch.js';
import { rc, type Stat } from '../../src/registry/zookeeper-client.js';
import { RecordingSink } from '../support/recording-sink.js';

/** A tree whose answers come when the test says so, in order, and which never fires a watch. */
class HeldTree implements TreeReader {
  readonly nodes = new Map<string, string>();
  private readonly held: (() => void)[] = [];
  /** The most answers that were waited for at once. */
  most = 0;
  /** What every read is answered with. */
  code: number = rc.ok;

  get(path: string, _: boolean, done: (code: number, data: Uint8Array, stat: Stat | undefined) => void): void {
    const data = this.nodes.get(path);
    const stat = { czxid: 1, version: 0, ephemeral: false, mine: false };
    this.hold(() => done(data === undefined ? rc.noNode : this.code, Buffer.from(data ?? ''), stat));
  }

  children(path: string, _: boolean, done: (code: number, names: readonly string[]) => void): void {
    const below = [...this.nodes.keys()].filter((each) => each.slice(0, each.lastIndexOf('/')) === path);
    const names = below.map((each) => each.slice(path.length + 1));
    this.hold(() => done(this.nodes.has(path) ? this.code : rc.noNode, names));
  }

  exists(path: string, _: boolean, done: (code: number, stat: Stat | undefined) => void): void {
    this.hold(() => done(this.nodes.has(path) ? rc.ok : rc.noNode, undefined));
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

function watching(nodes: Record<string, string>, known = false) {
  const tree = new HeldTree();
  for (const [path, data] of Object.entries(nodes)) tree.nodes.set(path, data);
  const sink = new RecordingSink();
  const options = { root: '/r', readDepth: 3, chrootBytes: 0, known, now: () => 0 };
  return { tree, sink, watch: new TreeWatch(options, sink) };
}

const news = { '/r': '', '/r/news': '', '/r/news/a': 'a:80', '/r/news/b': 'b:80' };

test('reads under way at once are bounded', () => {
  const children = Array.from({ length: 50 }, (_, i) => [`/r/news/${i}`, `o:${i + 1}`] as const);
  const { tree, sink, watch } = watching({ '/r': '', '/r/news': '', ...Object.fromEntries(children) });
  watch.start(tree);
  tree.answer();
  assert.equal(sink.endpoints.size, 50);
  assert.equal(tree.most, 3);
  watch.release();
});

test('a reconcile tells what lost watches hid, as changes', () => {
  const { tree, sink, watch } = watching(news);
  watch.start(tree);
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
  watch.start(tree);
  tree.answer();
  watch.stop();
  const emptied = new HeldTree();
  emptied.nodes.set('/r', '');
  watch.start(emptied);
  watch.stop();
  emptied.answer();
  assert.deepEqual(sink.sequence, ['replace', 'live', 'stale']);
  assert.equal(sink.endpoints.size, 2);
  watch.start(tree);
  tree.answer();
  assert.deepEqual(sink.sequence, ['replace', 'live', 'stale', 'replace', 'live']);
  watch.release();
});

test('lost answers that no session event follows are asked for again', () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  const { tree, sink, watch } = watching(news);
  tree.code = rc.operationTimeout;
  watch.start(tree);
  tree.answer();
  assert.deepEqual(sink.sequence, []);
  tree.code = rc.ok;
  mock.timers.tick(1_000);
  tree.answer();
  assert.deepEqual(sink.sequence, ['replace', 'live']);
  watch.release();
  mock.timers.reset();
});

test('a missing root is empty on a first start, and no picture at all when something is known', () => {
  const first = watching({});
  first.watch.start(first.tree);
  first.tree.answer();
  assert.deepEqual(first.sink.sequence, ['replace', 'live']);
  first.watch.release();

  const later = watching({}, true);
  later.watch.start(later.tree);
  later.tree.answer();
  assert.deepEqual(later.sink.sequence, []);
  later.tree.nodes.set('/r', '');
  later.watch.event('created', '/r');
  later.tree.answer();
  assert.deepEqual(later.sink.sequence, ['replace', 'live']);
  later.watch.release();
});

test('a node that is deleted while everything is read again is told at once', () => {
  const { tree, sink, watch } = watching(news);
  watch.start(tree);
  tree.answer();
  watch.stop();
  watch.start(tree);
  tree.nodes.delete('/r/news/a');
  watch.event('deleted', '/r/news/a');
  assert.deepEqual(sink.sequence, ['replace', 'live', 'stale', 'drop']);
  tree.answer();
  assert.deepEqual(sink.addresses('news'), ['b:80']);
  assert.equal(sink.state, 'live');
  watch.release();
});
