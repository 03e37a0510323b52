// The agent between a server that the test plays and a registry that it looks into; the clock is the test's.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Agent } from '../../src/agent/agent.js';
import type { Stream } from '../../src/agent/stream.js';
import { silentLogger } from '../../src/log.js';
import type { Keeper } from '../../src/registrar/keeper.js';
import { registrarOf } from '../../src/registrar/registrar.js';

const naming = { channel: '{stream}', address: 'http://{host}:8080/{app}/{stream}', host: '10.0.0.1', apps: [] };
const stream = (name: string, more: Partial<Stream> = {}): Stream => ({ vhost: '', app: 'live', name, ...more });

interface Change {
  readonly maxViewers?: number;
  readonly maxStreams?: number;
  /** What comes of the node of the shared report; undefined: this registry has none. */
  readonly report?: Promise<void>;
}

function start({ report, ...change }: Change = {}) {
  const standing = new Map<string, string>();
  const writes: string[] = [];
  let closed = false;
  const keeper: Keeper & { report?: Keeper['report'] } = {
    keep(channel, data) {
      const write = (text: string) => {
        standing.set(channel, text);
        writes.push(`${channel} ${text}`);
      };
      write(data);
      return { path: channel, made: Promise.resolve(), write, remove: () => void standing.delete(channel) };
    },
    async close() {
      standing.clear();
      closed = true;
    },
  };
  if (report !== undefined) {
    keeper.report = (folder, name, data) => {
      const write = (text: string) => void writes.push(`${folder}/${name} ${text}`);
      write(data);
      return { path: '', made: report, write, remove: () => void writes.push('removed') };
    };
  }
  const registrar = registrarOf(keeper, { folder: '/servers', name: 'a' });
  const clock = { now: 0, due: Number.POSITIVE_INFINITY, call: () => {} };
  const usage = { cpu: 0.1 as number | undefined };
  const settings = {
    naming,
    silenceMs: 2_000,
    reportIntervalMs: 10_000,
    maxStreams: 10,
    maxViewers: undefined,
    ...change,
  };
  const around = {
    now: () => clock.now,
    usage: () => usage,
    after(delayMs: number, call: () => void) {
      Object.assign(clock, { due: clock.now + delayMs, call });
      return () => {
        clock.due = Number.POSITIVE_INFINITY;
      };
    },
  };
  const agent = new Agent({ ...settings, traits: { zone: 'north' } }, registrar, around, silentLogger);
  const pass = (time: number) => {
    clock.now += time;
    if (clock.now < clock.due) return;
    clock.due = Number.POSITIVE_INFINITY;
    clock.call();
  };
  const said = (channel: string) => JSON.parse(standing.get(channel) ?? 'null') as Record<string, unknown> | null;
  return { agent, standing, writes, usage, pass, said, now: () => clock.now, isClosed: () => closed };
}

test('streams come and go with what the server answers', () => {
  const { agent, said, standing } = start();
  agent.answered({ streams: [stream('news', { bitrate: 1_000 }), stream('sport')] }, 0);
  assert.deepEqual(said('news'), {
    service_address: 'http://10.0.0.1:8080/live/news',
    load: 0.1,
    bitrate: 1_000,
    zone: 'north',
  });
  agent.answered({ streams: [stream('sport')] }, 1_000);
  assert.deepEqual([...standing.keys()], ['sport']);
});

test('a hook registers and takes out at once', () => {
  const { agent, standing } = start();
  agent.called({ kind: 'published', stream: stream('news') });
  assert.deepEqual([...standing.keys()], ['news']);
  agent.called({ kind: 'unpublished', stream: stream('news') });
  assert.deepEqual([...standing.keys()], []);
});

test('a stream that is known from a call alone is out when no answer comes', () => {
  const { agent, standing, pass } = start();
  agent.called({ kind: 'published', stream: stream('news') });
  pass(1_999);
  assert.equal(standing.size, 1);
  pass(1);
  assert.equal(standing.size, 0);
  agent.called({ kind: 'published', stream: stream('news') });
  assert.equal(standing.size, 1);
  pass(2_000);
  assert.equal(standing.size, 0);
});

test('all are taken out when the server is silent for so long, and come back with its next answer', () => {
  const { agent, standing, pass, now } = start();
  agent.answered({ streams: [stream('news'), stream('sport')] }, 0);
  pass(1_900);
  agent.answered({ streams: [stream('news'), stream('sport')] }, now());
  pass(1_999);
  assert.equal(standing.size, 2);
  pass(1);
  assert.equal(standing.size, 0);
  agent.answered({ streams: [stream('news'), stream('sport')] }, now());
  assert.equal(standing.size, 2);
  agent.gone();
  assert.equal(standing.size, 0);
});

test('the load is of the server: its processor as it says, or the machine, or its viewers', () => {
  const { agent, said, usage } = start({ maxViewers: 100 });
  agent.answered({ streams: [stream('news', { viewers: 30 }), stream('sport', { viewers: 20 })], cpu: 0.2 }, 0);
  assert.equal(said('news')?.['load'], 0.5);
  usage.cpu = 0.9;
  agent.answered({ streams: [stream('news', { viewers: 30 })], cpu: 0.2 }, 1_000);
  assert.equal(said('news')?.['load'], 0.9);
});

test('what nobody measures is unknown', () => {
  const { agent, said, usage } = start();
  usage.cpu = undefined;
  agent.answered({ streams: [stream('news')] }, 0);
  assert.equal('load' in (said('news') ?? {}), false);
});

test('a report that changed little is not written before the interval is over', () => {
  const { agent, writes, usage, pass, now } = start();
  agent.answered({ streams: [stream('news')] }, 0);
  usage.cpu = 0.11;
  for (let i = 0; i < 9; i++) {
    pass(1_000);
    agent.answered({ streams: [stream('news')] }, now());
  }
  assert.equal(writes.length, 1);
  pass(1_000);
  agent.answered({ streams: [stream('news')] }, now());
  assert.equal(writes.length, 2);
});

test('draining is said of every endpoint, and nothing comes or goes after it until the end', async () => {
  const { agent, said, standing, isClosed } = start();
  agent.answered({ streams: [stream('news')] }, 0);
  agent.drain();
  assert.equal(said('news')?.['status'], 'draining');
  agent.answered({ streams: [stream('sport')] }, 1_000);
  agent.called({ kind: 'unpublished', stream: stream('news') });
  agent.gone();
  assert.deepEqual([...standing.keys()], ['news']);
  await agent.close();
  assert.equal(standing.size, 0);
  assert.equal(isClosed(), true);
});

test('a flood of streams registers as many as are allowed', () => {
  const { agent, standing } = start({ maxStreams: 3 });
  agent.answered({ streams: Array.from({ length: 1_000 }, (_, i) => stream(`s${i}`)) }, 0);
  assert.equal(standing.size, 3);
});

test('the load is written once for all streams, and small changes of a stream are not', async () => {
  const { agent, said, writes, usage } = start({ report: Promise.resolve() });
  await Promise.resolve();
  const streams = (bitrate: number) => ['news', 'sport'].map((name) => stream(name, { bitrate }));
  agent.answered({ streams: streams(1_000) }, 0);
  for (const channel of ['news', 'sport']) {
    const { load, report } = said(channel) ?? {};
    assert.deepEqual([load, report], [undefined, '/servers/a']);
  }
  assert.deepEqual(writes.filter((line) => line.startsWith('/servers')).at(-1), '/servers/a {"load":0.1}');
  writes.length = 0;
  for (let round = 1; round <= 5; round++) {
    usage.cpu = 0.1 + round / 10;
    agent.answered({ streams: streams(1_000 + round) }, round * 10_000);
  }
  assert.deepEqual(
    writes,
    [0.2, 0.3, 0.4, 0.5, 0.6].map((load) => `/servers/a {"load":${load}}`),
  );
  // What an edge has to know at once is written with the stream.
  agent.answered({ streams: [stream('news', { bitrate: 2_000 }), stream('sport', { bitrate: 1_000 })] }, 60_000);
  assert.equal(said('news')?.['bitrate'], 2_000);
});

test('where the node of the load is refused, each stream has its own load', async () => {
  const { agent, said, writes, usage } = start({ report: Promise.reject(new Error('not authorized')) });
  await new Promise((resolve) => setImmediate(resolve));
  assert.ok(writes.includes('removed'));
  agent.answered({ streams: [stream('news')] }, 0);
  assert.deepEqual([said('news')?.['load'], said('news')?.['report']], [0.1, undefined]);
  usage.cpu = 0.9;
  agent.answered({ streams: [stream('news')] }, 1_000);
  assert.equal(said('news')?.['load'], 0.9);
  assert.equal(writes.filter((line) => line.startsWith('/servers')).length, 1);
});

test('streams that were registered before the node of the load stood name it afterwards', async () => {
  let stands = () => {};
  const made = new Promise<void>((resolve) => {
    stands = resolve;
  });
  const { agent, said } = start({ report: made });
  agent.answered({ streams: [stream('news')] }, 0);
  assert.equal(said('news')?.['load'], 0.1);
  stands();
  await made;
  await Promise.resolve();
  agent.answered({ streams: [stream('news')] }, 1_000);
  assert.deepEqual([said('news')?.['load'], said('news')?.['report']], [undefined, '/servers/a']);
});
