// Both sides of the fleet's session between processes, joined without a process.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { RemoteSession } from '../../../src/registry/coordination/remote-session.js';
import { FleetError, type FleetState, maxCalls } from '../../../src/registry/coordination/session.js';
import { SessionHost } from '../../../src/registry/coordination/session-host.js';
import type { SessionReply, SessionRequest } from '../../../src/registry/coordination/session-messages.js';
import { StateNews } from '../../../src/registry/coordination/state-news.js';

/** The registry process's session, as a test wants it to go. */
class FakeSession {
  readonly news = new StateNews();
  readonly watching = new Map<string, () => void>();
  readonly calls: string[] = [];
  renewals = 0;
  closed = false;
  /** The server answers. */
  answers = true;
  readonly timeoutMs = 6_000;

  get = async (path: string) => {
    this.calls.push(`get ${path}`);
    if (path === '/denied') throw new FleetError('denied', 'read /denied');
    if (path === '/never') return new Promise<never>(() => {});
    return { data: 'data', version: 3, czxid: '7', mine: false };
  };
  children = async () => ['a'];
  create = async (path: string) => `${path}1`;
  set = async () => 4;
  remove = async () => {};
  confirm = async () => {
    if (!this.answers) await new Promise(() => {});
  };
  watch = (path: string, what: string, changed: () => void) => {
    this.watching.set(`${what} ${path}`, changed);
    return () => this.watching.delete(`${what} ${path}`);
  };
  subscribe = (listener: (state: FleetState) => void) => this.news.subscribe(listener);
  renew = () => {
    this.renewals += 1;
    this.news.tell({ kind: 'lost' });
  };
  close = async () => {
    this.closed = true;
  };
}

let now = 0;
let native: FakeSession;
let host: SessionHost;
let remote: RemoteSession;
let states: string[];
/** What was said by either side, while it is not delivered. */
let frozen: SessionReply[] | undefined;

const settled = async () => {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
};

/** Time goes on in both processes, or in the registry process only. */
async function pass(milliseconds: number): Promise<void> {
  for (let left = milliseconds; left > 0; left -= 500) {
    now += Math.min(500, left);
    mock.timers.tick(Math.min(500, left));
    await settled();
  }
}

beforeEach(() => {
  mock.timers.enable({ apis: ['setTimeout'] });
  now = 0;
  frozen = undefined;
  native = new FakeSession();
  remote = new RemoteSession(6_000, () => now);
  states = [];
  remote.subscribe((state) => states.push(state.kind === 'connected' && !state.fresh ? 'again' : state.kind));
  start();
});
afterEach(() => {
  remote.detach();
  void host.close();
  mock.timers.reset();
});

function start(): void {
  const own = new SessionHost(
    native,
    (reply, done) => {
      if (own !== host && host !== undefined) return;
      if (frozen !== undefined) frozen.push(reply);
      else remote.receive(structuredClone(reply));
      done?.();
    },
    () => now,
  );
  host = own;
  remote.attach((request: SessionRequest) => {
    if (frozen === undefined) own.receive(structuredClone(request));
  });
}

async function connect(fresh = true): Promise<void> {
  native.news.tell({ kind: 'connected', fresh });
  await settled();
}

test('calls go to the registry process and their answers come back, refusals as they are', async () => {
  await assert.rejects(remote.get('/a'), { kind: 'lost' });
  await connect();
  assert.deepEqual(states, ['connected']);
  assert.equal(remote.isAlive(), true);
  assert.equal((await remote.get('/a'))?.version, 3);
  assert.deepEqual(await remote.children('/a'), ['a']);
  assert.equal(await remote.create('/a/n-', '', 'ephemeral_sequential'), '/a/n-1');
  assert.equal(await remote.set('/a', 'x', 3), 4);
  await remote.remove('/a');
  await assert.rejects(remote.get('/denied'), { kind: 'denied', what: 'read /denied' });
  await assert.rejects(remote.create('/a', 'x'.repeat(100_001), 'persistent'), { kind: 'too_large' });
});

test('it is connected only once a server has confirmed the session', async () => {
  native.answers = false;
  await connect();
  assert.deepEqual(states, []);
  native.answers = true;
  await pass(1_000);
  assert.deepEqual(states, ['connected']);
});

test('a lost session ends what is under way, and what was asked in it is not done in the next one', async () => {
  await connect();
  const never = remote.get('/never');
  native.news.tell({ kind: 'lost' });
  await assert.rejects(never, { kind: 'lost' });
  assert.equal(remote.isAlive(), false);
  await connect();
  assert.deepEqual(states, ['connected', 'lost', 'connected']);
  const heard = native.calls.length;
  host.receive({ kind: 'call', id: 99, session: 1, call: { about: 'get', path: '/old' } });
  await settled();
  assert.equal(native.calls.length, heard);
});

test('a short loss of the connection is no loss of the session', async () => {
  await connect();
  native.news.tell({ kind: 'suspended' });
  await assert.rejects(remote.get('/a'), { kind: 'lost' });
  assert.equal(remote.isAlive(), true);
  await connect(false);
  assert.deepEqual(states, ['connected', 'suspended', 'again']);
});

test('without an answer of a server the session is given up on both sides', async () => {
  await connect();
  native.answers = false;
  await pass(3_500);
  assert.equal(remote.isAlive(), true);
  await pass(1_000);
  assert.equal(remote.isAlive(), false);
  assert.deepEqual(states, ['connected', 'lost']);
  assert.equal(native.renewals, 1);
});

test('a supervisor that stands still loses its session, and knows it before it hears of it', async () => {
  await connect();
  frozen = [];
  await pass(5_500);
  assert.equal(native.renewals, 1);
  await pass(20_000);
  assert.equal(native.renewals, 1);
  // In the test both run on, so it has told already; what it says in the first turn afterwards is what counts.
  assert.equal(remote.isAlive(), false);
});

test('when the registry process ends, the session is lost; the next one watches the same', async () => {
  const heard: string[] = [];
  await connect();
  const end = remote.watch('/a', 'children', () => heard.push('changed'));
  native.watching.get('children /a')?.();
  await settled();
  assert.deepEqual(heard, ['changed']);
  remote.detach();
  assert.deepEqual(states, ['connected', 'lost']);
  await host.close();
  native = new FakeSession();
  start();
  assert.deepEqual([...native.watching.keys()], ['children /a']);
  await connect();
  assert.deepEqual(heard, ['changed', 'changed']);
  end();
  assert.equal(native.watching.size, 0);
});

test('what changes while a message is under way is told once', async () => {
  await connect();
  const replies: SessionReply[] = [];
  const taken: (() => void)[] = [];
  const other = new SessionHost(native, (reply, done) => {
    replies.push(reply);
    if (done !== undefined) taken.push(done);
  });
  other.receive({ kind: 'watch', path: '/b', what: 'data' });
  const changed = native.watching.get('data /b');
  changed?.();
  await settled();
  for (let i = 0; i < 1_000; i++) changed?.();
  await settled();
  assert.equal(replies.filter(({ kind }) => kind === 'changed').length, 1);
  taken[0]?.();
  await settled();
  assert.equal(replies.filter(({ kind }) => kind === 'changed').length, 2);
  await other.close();
});

test('calls under way are bounded in number and in bytes', async () => {
  await connect();
  const many = Array.from({ length: maxCalls }, () => remote.get('/never'));
  for (const each of many) each.catch(() => {});
  await assert.rejects(remote.get('/a'), { kind: 'busy' });
  native.news.tell({ kind: 'lost' });
  await Promise.allSettled(many);
  await connect();
  native.set = () => new Promise<never>(() => {});
  const large = Array.from({ length: 80 }, () => remote.set('/a', 'x'.repeat(100_000), 1));
  for (const each of large) each.catch(() => {});
  await assert.rejects(remote.set('/a', 'x', 1), { kind: 'busy' });
  assert.equal((await remote.get('/a'))?.version, 3);
});
