import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { pino } from 'pino';
import { workerHeartbeatMs } from '../../src/cluster/messages.js';
import { Supervisor } from '../../src/cluster/supervisor.js';
import { type ConfigInput, configSchema } from '../../src/config-schema.js';
import { createMetrics } from '../../src/metrics.js';
import { SnapshotStore } from '../../src/snapshot/store.js';
import { cleanupsAfterEach } from '../support/cleanups.js';
import { type Conduct, FakeChildren, fakeSocket } from '../support/fake-child.js';
import { waitFor } from '../support/wait.js';

const cleanups = cleanupsAfterEach();

interface Line {
  readonly msg: string;
  readonly level: number;
}

const settings = (input: ConfigInput = {}) => configSchema.parse({ workers: 2, ...input });
/** Settings that new workers have to be started for; told apart by a number. */
const changed = (number: number) => settings({ http: { headersTimeout: `${number}s` } });

function supervise(config = settings(), ...first: Conduct[]) {
  const children = new FakeChildren();
  const clock = { now: 0 };
  children.next.push(...first);
  const lines: Line[] = [];
  const logger = pino({ base: null }, { write: (line: string) => void lines.push(JSON.parse(line) as Line) });
  const pauses: number[] = [];
  const socket = fakeSocket();
  const store = new SnapshotStore();
  const supervisor = new Supervisor({
    config,
    socket,
    logger,
    metrics: createMetrics({ process: false }),
    machine: { cores: 2, memoryBytes: 8 * 1024 ** 3 },
    identity: { edge: 'test', machineSecret: 'machine' },
    socketFolder: '/nowhere',
    ownListeners: () => [],
    snapshot: () => store.current,
    fork: children.fork,
    now: () => clock.now,
    random: () => 1,
    pause: async (milliseconds) => {
      pauses.push(milliseconds);
      await setImmediate();
    },
  });
  cleanups.push(() => supervisor.close());
  const timeouts = () => children.alive.map(({ start }) => start?.config.http.headersTimeout);
  return { supervisor, store, children, clock, lines, pauses, socket, timeouts };
}

test('it accepts players while a worker serves, and not while none does', async () => {
  const { supervisor, children } = supervise(settings({ workers: 1 }));
  assert.equal(supervisor.accepting, false);
  await supervisor.start();
  assert.equal(supervisor.accepting, true);
  children.next.push('hang');
  children.all[0]?.ends(null, 'SIGKILL');
  assert.equal(supervisor.accepting, false);
  await waitFor(() => children.all.length === 2, { what: 'another process' });
  children.all[1]?.ends(1);
  await waitFor(() => supervisor.accepting, { what: 'another worker' });
  await supervisor.drain();
  assert.equal(supervisor.accepting, false);
});

test('what one worker signs, the others know, and those that follow', async () => {
  const { supervisor, children } = supervise(settings());
  await supervisor.start();
  children.all[0]?.ends(null, 'SIGKILL');
  await waitFor(() => children.all.length === 3 && supervisor.accepting, { what: 'another worker' });
  const secrets = children.all.map(({ start }) => start?.identity.machineSecret);
  assert.deepEqual(secrets, ['machine', 'machine', 'machine']);
});

test('a worker that cannot start ends the start, with its reason, and leaves nothing behind', async () => {
  const { supervisor, children } = supervise(settings(), 'serve', 'fail');
  await assert.rejects(supervisor.start(), { message: 'listen EADDRINUSE', code: 'EADDRINUSE' });
  assert.deepEqual(children.alive, []);
});

test('a system without descriptors or memory for a process is tried again, ever more seldom, until it has them', async () => {
  const { supervisor, children, pauses, lines } = supervise(settings({ workers: 1 }));
  await supervisor.start();
  children.next.push('no process', 'no memory', 'no process', 'no memory', 'no process');
  children.all[0]?.ends(null, 'SIGKILL');
  await waitFor(() => supervisor.accepting, { what: 'another worker' });
  assert.deepEqual(pauses, [100, 200, 400, 800, 1_600], 'the first time at once');
  assert.equal(lines.filter(({ msg }) => msg === 'worker cannot start').length, 5);
});

test('a worker that served for long is brought back at once, one that never settles later and later', async () => {
  const { supervisor, children, clock, pauses } = supervise(settings({ workers: 1 }));
  await supervisor.start();
  const dies = async () => {
    const before = children.all.length;
    children.alive[0]?.ends(null, 'SIGKILL');
    await waitFor(() => children.all.length > before && supervisor.accepting, { what: 'another worker' });
  };
  await dies();
  await dies();
  await dies();
  assert.deepEqual(pauses.splice(0), [100, 200]);
  clock.now += 30_001;
  await dies();
  assert.deepEqual(pauses, []);
});

test('a reload waits for old workers to drain rather than have more of them than there are new ones', async () => {
  const { supervisor, children, timeouts } = supervise(changed(1));
  await supervisor.start();
  // Players stay: what is told to drain goes on.
  for (const child of children.alive) child.onMessage = () => {};
  await supervisor.replaceAll(changed(2));
  assert.deepEqual(timeouts(), [1_000, 1_000, 2_000, 2_000]);
  for (const child of children.alive) child.onMessage = () => {};
  const reloaded = supervisor.replaceAll(changed(3));
  await setImmediate();
  assert.equal(children.all.length, 4, 'nothing is started yet');
  children.alive[0]?.ends();
  await waitFor(() => children.all.length === 5, { what: 'the first new worker' });
  await setImmediate();
  assert.equal(children.all.length, 5);
  children.alive[0]?.ends();
  await reloaded;
  assert.deepEqual(timeouts(), [2_000, 2_000, 3_000, 3_000]);
});

test('an end that was asked for is told as such, and a crash as an error', async () => {
  const { supervisor, children, lines } = supervise();
  await supervisor.start();
  const ends = () => lines.filter(({ msg }) => msg === 'worker ended').map(({ level }) => level);
  await supervisor.configure(settings({ workers: 1 }));
  await waitFor(() => ends().length === 1, { what: 'the end of one' });
  children.alive[0]?.ends(null, 'SIGKILL');
  assert.deepEqual(ends(), [30, 50]);
});

test('a reload whose second worker cannot start takes the first one back, and says no', async () => {
  const { supervisor, children, timeouts, socket } = supervise(changed(1));
  await supervisor.start();
  const elsewhere = fakeSocket();
  children.next.push('serve', 'fail');
  await assert.rejects(supervisor.replaceAll(changed(2), elsewhere), { code: 'EADDRINUSE' });
  assert.deepEqual(timeouts(), [1_000, 1_000]);
  assert.deepEqual([socket.closed, elsewhere.closed], [false, true]);
  assert.equal(supervisor.accepting, true);

  await supervisor.replaceAll(changed(3));
  assert.deepEqual(timeouts(), [3_000, 3_000], 'the next one succeeds');
});

test('a worker that dies after a refused reload comes back with the settings in effect', async () => {
  const { supervisor, children, timeouts } = supervise(changed(1));
  await supervisor.start();
  children.next.push('fail');
  await assert.rejects(supervisor.replaceAll(changed(2)));
  children.alive[0]?.ends(null, 'SIGKILL');
  await waitFor(() => children.alive.length === 2, { what: 'another worker' });
  assert.deepEqual(timeouts(), [1_000, 1_000]);
});

test('a worker that cannot be taken back at once is taken back later', async (t) => {
  const { supervisor, children, timeouts, lines } = supervise(changed(1));
  await supervisor.start();
  children.next.push('serve', 'fail', 'fail');
  await assert.rejects(supervisor.replaceAll(changed(2)));
  assert.deepEqual(timeouts().sort(), [1_000, 2_000]);
  assert.ok(lines.some(({ msg }) => msg.startsWith('some workers keep the new settings')));
  await waitFor(() => timeouts().every((timeout) => timeout === 1_000), { what: 'the old settings' });
  t.diagnostic(`${children.all.length} processes in all`);
});

test('a reload is the next attempt of a worker that cannot start: it says no at once, and the next one may succeed', async () => {
  const { supervisor, children, timeouts } = supervise(settings({ http: { headersTimeout: '1s' }, workers: 1 }));
  await supervisor.start();
  // It never starts again, with no settings.
  const conduct = Array.from({ length: 10_000 }, () => 'fail' as const);
  children.next.push(...conduct);
  children.all[0]?.ends(1);
  await waitFor(() => children.all.length > 10, { what: 'attempts in vain' });
  await assert.rejects(supervisor.replaceAll(changed(2)), { code: 'EADDRINUSE' });
  children.next.length = 0;
  await supervisor.replaceAll(settings({ http: { headersTimeout: '3s' }, workers: 1 }));
  assert.deepEqual(timeouts(), [3_000]);
});

test('a further worker that cannot start now does not make a reload fail: it is tried again', async () => {
  const { supervisor, children } = supervise();
  await supervisor.start();
  children.next.push('fail', 'fail');
  await supervisor.configure(settings({ workers: 3 }));
  await waitFor(() => children.alive.length === 3, { what: 'the third worker' });
  await supervisor.configure(settings({ workers: 1 }));
  await waitFor(() => children.alive.length === 1, { what: 'one worker' });
});

test('settings that change in place reach every worker, and none is replaced for them', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const { supervisor, children } = supervise();
  await supervisor.start();
  await supervisor.configure(settings({ balancer: { policy: 'random' } }));
  assert.equal(children.all.length, 2);
  for (const child of children.alive) assert.equal(child.heard.at(-1), 'configure');
  for (let looks = 0; looks < 4; looks += 1) {
    t.mock.timers.tick(workerHeartbeatMs);
    await setImmediate();
  }
  assert.equal(children.all.length, 2);
});

test('a worker that catches up is told settings, members and what is in flight, as they are by then', async () => {
  const { supervisor, store, children } = supervise();
  await supervisor.start();
  const [behind] = children.all;
  assert.ok(behind);
  behind.reads = false;
  for (let revision = 1; revision <= 300; revision += 1) {
    store.accept({ kind: 'full', revision, state: 'live', endpoints: [] });
    supervisor.each((worker) => worker.published());
    await setImmediate();
  }
  for (let i = 0; i < 300; i += 1) await supervisor.configure(settings());
  const missed = settings({ balancer: { policy: 'random' } });
  await supervisor.configure(missed);
  assert.ok(behind.sent.length < 300, `${behind.sent.length} messages`);
  assert.ok((children.all[1]?.sent.length ?? 0) > 600, 'the other one hears all');
  const told = behind.sent.length;
  behind.readAgain();
  const since = behind.sent.slice(told);
  assert.deepEqual(
    since.slice(0, 3).map(({ kind }) => kind),
    ['configure', 'members', 'in-flight'],
  );
  assert.equal(since[0]?.kind === 'configure' && since[0].config.balancer.policy, 'random');
  await setImmediate();
  const last = behind.sent.findLast(({ kind }) => kind === 'update');
  assert.equal(last?.kind === 'update' && last.update.revision, 300);
});

test('the end of an edge is the end of all its workers, also of those that start', async () => {
  const { supervisor, children, socket } = supervise();
  await supervisor.start();
  children.next.push('hang');
  children.all[0]?.ends(null, 'SIGKILL');
  await waitFor(() => children.all.length === 3, { what: 'another process' });
  await supervisor.drain();
  assert.deepEqual(children.alive, []);
  assert.equal(socket.closed, true);
});
