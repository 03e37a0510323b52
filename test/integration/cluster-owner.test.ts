// Two workers in front of one origin: the edge pulls a channel once, whichever worker a viewer came to, and a viewer does
// not notice that the worker which pulls is killed or replaced.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Agent, get } from 'node:http';
import { afterEach, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Origin, type OriginOptions, startOrigin } from '../../src/demo/origin.js';
import { ownerOf } from '../../src/peers/owner.js';
import { FlvViewer } from '../support/flv-viewer.js';
import { LivePlaylistChecker } from '../support/hls-checker.js';
import { request } from '../support/requests.js';
import { waitFor } from '../support/wait.js';
import { serveWeir, type WeirProcess } from '../support/weir.js';
import { isAlive, knownToAll, register, scraped, workersOf } from '../support/workers.js';

let cleanups: (() => unknown)[];
beforeEach(() => {
  cleanups = [];
});
afterEach(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

async function origin(options: Partial<OriginOptions> = {}): Promise<Origin> {
  const started = await startOrigin({ channels: ['news', 'sport'], ...options });
  cleanups.push(() => started.close());
  return started;
}
async function edgeOf(origins: readonly Origin[], ...parameters: string[]): Promise<WeirProcess> {
  const started = await serveWeir('--registry', 'embedded', '--set', 'workers=2', ...parameters);
  cleanups.push(() => started.stop());
  for (const [index, { address }] of origins.entries()) await register(started, 'news', address, 0.1 + index / 10);
  await knownToAll(started, 'news');
  return started;
}
/** The process in each slot, as the supervisor last told. */
function slots(edge: WeirProcess): Map<number, number> {
  const found = new Map<number, number>();
  for (const line of edge
    .log()
    .split('\n')
    .filter((text) => text.includes('"worker started"'))) {
    const { worker, pid } = JSON.parse(line) as { worker: number; pid: number };
    found.set(worker, pid);
  }
  return found;
}
/** Who pulls the channel, and who takes it from there. */
function roles(edge: WeirProcess, channel = 'news'): { owner: number; other: number } {
  const running = slots(edge);
  const members = [...running.keys()].map((slot) => ({ slot, name: '', socket: '' }));
  const slot = ownerOf(channel, members)?.slot ?? 0;
  return { owner: running.get(slot) ?? 0, other: running.get(1 - slot) ?? 0 };
}
function flvUrl(edge: WeirProcess, index: number): string {
  return `${index % 2 === 0 ? edge.players : edge.players.replace('http', 'ws')}/live/news.flv`;
}
async function audience(edge: WeirProcess, count: number): Promise<FlvViewer[]> {
  const viewers = Array.from({ length: count }, (_, index) => FlvViewer.open(flvUrl(edge, index)));
  cleanups.push(() => {
    for (const viewer of viewers) viewer.leave();
  });
  await waitFor(() => viewers.every((viewer) => viewer.keyframes.length > 0), {
    what: 'the first keyframes',
    deadline: 20_000,
  });
  return viewers;
}
/** Viewers who only take what comes. */
function crowd(edge: WeirProcess, count: number) {
  const seen = { started: 0, failed: [] as string[] };
  const agent = new Agent({ keepAlive: false, maxSockets: Number.POSITIVE_INFINITY });
  for (let i = 0; i < count; i += 1) {
    get(`${edge.players}/live/news.flv`, { agent }, (response) => {
      if (response.statusCode === 200) response.once('data', () => (seen.started += 1));
      else seen.failed.push(`${response.statusCode}`);
      response.on('error', (error) => seen.failed.push(error.message));
      response.resume();
    }).on('error', (error) => seen.failed.push(error.message));
  }
  cleanups.push(() => agent.destroy());
  return seen;
}
/** Keyframes of the simulated origins are this far apart, in ms. */
const group = 2_000;

/** What nobody may notice: no error, no step back, no pause beyond this (ms). */
function assertUndisturbed(viewers: readonly FlvViewer[], pause: number): void {
  for (const viewer of viewers) {
    assert.equal(viewer.error, undefined);
    assert.equal(viewer.ended, false, 'the connection lives');
    assert.equal(viewer.headers, 1, 'one FLV header');
    assert.deepEqual(viewer.stepsBack(), []);
    assert.ok(viewer.longestPause() < pause, `paused for ${viewer.longestPause()} ms`);
  }
}
/** Some viewers were on the worker that died; resolves when no more of them end. */
async function losses(viewers: readonly FlvViewer[]): Promise<void> {
  let ended = 0;
  let since = performance.now();
  await waitFor(() => {
    const now = viewers.filter((viewer) => viewer.ended).length;
    if (now !== ended) since = performance.now();
    ended = now;
    return ended > 0 && performance.now() - since > 500;
  });
}
async function goesOn(viewers: readonly FlvViewer[], what: string): Promise<void> {
  const before = viewers.map((viewer) => viewer.media.length);
  const grown = () =>
    viewers.every((viewer, index) => viewer.ended || viewer.media.length > (before[index] ?? 0) + 100);
  await waitFor(grown, { what, deadline: 20_000 });
}

test('1,000 viewers on two workers: one pull at the origin', async () => {
  const one = await origin();
  const edge = await edgeOf([one], '--set', 'log.requests=false');
  const viewers = await audience(edge, 40);
  const seen = crowd(edge, 960);
  await waitFor(() => seen.started === 960, { what: 'the crowd', deadline: 30_000 });
  assert.deepEqual(seen.failed, []);
  assert.equal(one.viewers, 1);
  assert.equal(await scraped(edge, 'weir_relays'), 1);
  assert.equal(await scraped(edge, 'weir_relay_viewers'), 1000);
  const { relays } = (await (await fetch(`${edge.admin}/api/v1/relays`)).json()) as {
    relays: { endpoint: string; viewers: { http: number; websocket: number; workers: number } }[];
  };
  assert.equal(relays.length, 1);
  assert.equal(relays[0]?.endpoint, one.address);
  assert.equal((relays[0]?.viewers.http ?? 0) + (relays[0]?.viewers.websocket ?? 0), 1000);
  assert.equal(relays[0]?.viewers.workers, 1);
  await goesOn(viewers, 'the stream');
  assertUndisturbed(viewers, group);
});

test('the totals of a relayed stream are what viewers got, and what the origin sent', async () => {
  const one = await origin();
  const edge = await edgeOf([one], '--set', 'relay.linger=100ms');
  const bytes: number[] = [];
  const leave: (() => void)[] = [];
  for (let i = 0; i < 20; i += 1) {
    get(`${edge.players}/live/news.flv`, { agent: false }, (response) => {
      bytes[i] = 0;
      response.on('data', (chunk: Buffer) => {
        bytes[i] = (bytes[i] ?? 0) + chunk.length;
      });
      response.on('error', () => undefined);
      leave.push(() => response.destroy());
    });
  }
  await waitFor(() => bytes.length === 20 && bytes.every((count) => count > 20_000), { what: 'the stream' });
  await one.close();
  await waitFor(async () => (await scraped(edge, 'weir_http_open_streams', { protocol: 'flv' })) === 0, {
    what: 'the end of all streams, when the grace is over',
    deadline: 40_000,
  });
  for (const end of leave) end();
  assert.equal(
    await scraped(edge, 'weir_http_sent_bytes_total', { protocol: 'flv' }),
    bytes.reduce((sum, count) => sum + count, 0),
  );
  assert.equal(await scraped(edge, 'weir_http_requests_total', { protocol: 'flv' }), 20);
});

test('kill -9 of the owner: viewers of the other worker see a short pause, and the channel goes back in peace', async () => {
  const one = await origin();
  const edge = await edgeOf([one]);
  const viewers = await audience(edge, 40);
  const { owner } = roles(edge);
  process.kill(owner, 'SIGKILL');
  await losses(viewers);
  await waitFor(() => workersOf(edge).length === 2 && !workersOf(edge).includes(owner), {
    what: 'another worker',
    deadline: 2_000,
  });
  const left = viewers.filter((viewer) => !viewer.ended);
  assert.ok(left.length >= 5, `${left.length} of 40 were on the other worker`);
  await goesOn(left, 'the stream after the failover');
  // The channel is the new worker's again: one pull, after all have moved.
  await waitFor(() => one.viewers === 1, { what: 'one pull', deadline: 20_000 });
  const back = await audience(edge, 20);
  await goesOn([...left, ...back], 'the stream after the way back');
  await waitFor(() => one.viewers === 1, { what: 'one pull', deadline: 20_000 });
  assertUndisturbed(left, 1_000 + group);
  assertUndisturbed(back, group);
});

test('kill -9 of the worker that owns nothing: viewers of the owner see nothing', async () => {
  const one = await origin();
  const edge = await edgeOf([one]);
  const viewers = await audience(edge, 40);
  const { other } = roles(edge);
  process.kill(other, 'SIGKILL');
  await losses(viewers);
  const left = viewers.filter((viewer) => !viewer.ended);
  await goesOn(left, 'the stream');
  assertUndisturbed(left, 1_000);
  assert.equal(one.viewers, 1);
});

test('a worker stands still: players do not wait for it to take its part of them', async () => {
  const one = await origin();
  const edge = await edgeOf([one], '--set', 'cluster.stuckAfter=60s');
  const { other } = roles(edge);
  process.kill(other, 'SIGSTOP');
  cleanups.push(() => process.kill(other, 'SIGKILL'));
  const seen = crowd(edge, 60);
  await waitFor(() => seen.started === 60, { what: 'all players', deadline: 20_000 });
  assert.deepEqual(seen.failed, []);
  assert.ok(isAlive(other));
});

test('an origin dies: viewers of both workers move on together', async () => {
  const [one, two] = [await origin({ name: 'one' }), await origin({ name: 'two' })];
  const edge = await edgeOf([one, two]);
  const viewers = await audience(edge, 20);
  assert.equal(one.viewers, 1);
  await one.close();
  await waitFor(() => two.viewers === 1, { what: 'the pull from the other origin' });
  await goesOn(viewers, 'the stream after the failover');
  assertUndisturbed(viewers, 1_000 + 2 * group);
  assert.equal(two.viewers, 1);
});

test('a reload: streams of drained workers end by the grace only, and a stream that lives through it has no gap', async () => {
  const one = await origin();
  const edge = await edgeOf([one], '--set', 'shutdown.grace=6s');
  const viewers = await audience(edge, 20);
  const old = workersOf(edge);
  const reloadedAt = performance.now();
  edge.child.kill('SIGHUP');
  await waitFor(() => edge.log().includes('settings in effect'), { what: 'the reload', deadline: 20_000 });
  const fresh = await audience(edge, 20);
  const endedEarly = viewers.filter((viewer) => viewer.ended).length;
  if (performance.now() - reloadedAt < 5_000)
    assert.equal(endedEarly, 0, 'nobody is sent away before the grace is over');
  assertUndisturbed(
    viewers.filter((viewer) => !viewer.ended),
    1_000 + group,
  );
  await waitFor(() => !old.some(isAlive), { what: 'the end of the old workers', deadline: 20_000 });
  assert.ok(viewers.every((viewer) => viewer.ended));
  assert.ok(viewers.every((viewer) => viewer.stepsBack().length === 0));
  await waitFor(() => one.viewers === 1, { what: 'one pull', deadline: 20_000 });
  await goesOn(fresh, 'the stream of the new workers');
  assertUndisturbed(fresh, 1_000 + group);
});

/** HLS players who take the playlist over connections of their own, to whichever worker they come, and every new segment. */
class HlsPlayers {
  readonly failures: string[] = [];
  readonly checkers: LivePlaylistChecker[] = [];
  readonly bodies = new Map<string, string>();
  segments = 0;
  #going = true;
  readonly #running: Promise<void>[] = [];

  constructor(edge: WeirProcess, players: number) {
    for (let i = 0; i < players; i += 1) this.#running.push(this.#play(edge));
  }

  async stop(): Promise<void> {
    this.#going = false;
    await Promise.all(this.#running);
  }

  async #play(edge: WeirProcess): Promise<void> {
    const checker = new LivePlaylistChecker();
    this.checkers.push(checker);
    const fetched = new Set<string>();
    // A new connection for each request: a player's connections go to different workers.
    const agent = new Agent({ keepAlive: false });
    const ask = async (path: string) => {
      // A connection to a worker that is killed is lost; a browser asks again.
      const answer = await request(edge.players + path, agent).catch(() => request(edge.players + path, agent));
      if (answer.status !== 200) this.failures.push(`${answer.status} ${path} ${answer.body.subarray(0, 100)}`);
      return answer;
    };
    while (this.#going) {
      try {
        const { body, status } = await ask('/live/news.m3u8');
        if (status !== 200) continue;
        const playlist = checker.see(body.toString());
        for (const { uri } of playlist?.segments ?? []) {
          const { pathname, search } = new URL(uri, `${edge.players}/live/news.m3u8`);
          if (fetched.has(pathname + search)) continue;
          fetched.add(pathname + search);
          const segment = await ask(pathname + search);
          this.segments += 1;
          const print = createHash('sha256').update(segment.body).digest('hex');
          if ((this.bodies.get(pathname + search) ?? print) !== print) this.failures.push(`other bytes: ${pathname}`);
          this.bodies.set(pathname + search, print);
        }
      } catch (error) {
        this.failures.push(`${(error as Error).message} at ${new Date().toISOString()}`);
      }
      await sleep(200 + Math.random() * 200);
    }
  }
}
function assertCoherent(players: HlsPlayers): void {
  assert.deepEqual(players.failures, []);
  for (const { violations } of players.checkers) assert.deepEqual(violations, []);
}
function watch(edge: WeirProcess, count: number): HlsPlayers {
  const players = new HlsPlayers(edge, count);
  cleanups.push(() => players.stop());
  return players;
}
/** Counts what an origin is asked for, by path without the query. */
function countedOrigin(name: string): Promise<{ readonly origin: Origin; readonly asked: Map<string, number> }> {
  const asked = new Map<string, number>();
  const onRequest: OriginOptions['onRequest'] = ({ url = '' }) => {
    const path = url.split('?', 1)[0] ?? '';
    asked.set(path, (asked.get(path) ?? 0) + 1);
    return undefined;
  };
  return origin({ name, onRequest }).then((started) => ({ origin: started, asked }));
}
const ends = (players: HlsPlayers) =>
  players.checkers.map(({ last }) => (last === undefined ? 0 : last.mediaSequence + last.segments.length));
async function hlsGoesOn(players: HlsPlayers): Promise<void> {
  const before = ends(players);
  await waitFor(() => ends(players).every((end, index) => end >= (before[index] ?? 0) + 2), {
    what: 'new segments for every player',
    deadline: 25_000,
  });
}

test('50 HLS players on two workers: each object is fetched from the origin once', async () => {
  const { origin: one, asked } = await countedOrigin('one');
  const edge = await edgeOf([one], '--set', 'log.requests=false');
  const players = watch(edge, 50);
  await waitFor(() => players.segments >= 50, { what: 'segments' });
  await hlsGoesOn(players);
  await players.stop();
  assertCoherent(players);
  const segments = [...asked].filter(([path]) => !path.endsWith('.m3u8'));
  assert.ok(segments.length >= 5);
  assert.deepEqual(
    segments.filter(([, count]) => count !== 1),
    [],
  );
  // Half a target duration of two seconds: no more than one a second, whoever asks.
  const { sessions } = (await (await fetch(`${edge.admin}/api/v1/hls`)).json()) as { sessions: unknown[] };
  assert.equal(sessions.length, 1);
  const requests = await scraped(edge, 'weir_http_requests_total', { protocol: 'hls', status_class: '2xx' });
  assert.equal(
    await scraped(edge, 'weir_hls_requests_total'),
    requests,
    'what workers ask of each other is nobody’s request',
  );
});

test('the owner of an HLS channel killed and back: every player goes on in the same numbers, at the same origin', async () => {
  const { origin: one } = await countedOrigin('one');
  const { origin: two, asked: askedOfTwo } = await countedOrigin('two');
  const edge = await edgeOf([one, two], '--set', 'log.requests=false');
  const players = watch(edge, 20);
  await waitFor(() => players.checkers.every(({ last }) => last !== undefined), { what: 'the first playlists' });
  await hlsGoesOn(players);
  for (let round = 0; round < 2; round += 1) {
    const { owner } = roles(edge);
    process.kill(owner, 'SIGKILL');
    await waitFor(() => workersOf(edge).length === 2 && !workersOf(edge).includes(owner), { what: 'another worker' });
    await hlsGoesOn(players);
  }
  edge.child.kill('SIGHUP');
  await waitFor(() => edge.log().includes('settings in effect'), { what: 'the reload', deadline: 20_000 });
  await hlsGoesOn(players);
  await players.stop();
  assertCoherent(players);
  assert.equal(askedOfTwo.size, 0, 'no switch of origins');
});

test('the origin of an HLS channel dies, then the owner: still one presentation', async () => {
  const one = await origin({ name: 'one' });
  const two = await origin({ name: 'two', mediaSequenceBase: 7000 });
  const edge = await edgeOf([one, two], '--set', 'log.requests=false');
  const players = watch(edge, 20);
  await waitFor(() => players.checkers.every(({ last }) => last !== undefined), { what: 'the first playlists' });
  await hlsGoesOn(players);
  await one.close();
  await hlsGoesOn(players);
  // Until what the dead origin had is no longer listed: it lived in the memory of the owner.
  await waitFor(() => players.checkers.every(({ last }) => last?.segments[0]?.discontinuity === false), {
    what: 'the window of the other origin',
    deadline: 30_000,
  });
  process.kill(roles(edge).owner, 'SIGKILL');
  await hlsGoesOn(players);
  await players.stop();
  assertCoherent(players);
});
