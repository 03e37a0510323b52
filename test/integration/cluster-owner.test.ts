// Two workers in front of one origin: the edge pulls a channel once, whichever worker a viewer came to, and a viewer does
// not notice that the worker which pulls is killed or replaced.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Agent, get } from 'node:http';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Origin, type OriginOptions, startOrigin } from '../../src/demo/origin.js';
import { ownerOf } from '../../src/sharding/owner.js';
import { cleanupsAfterEach } from '../support/cleanups.js';
import { FlvViewer } from '../support/flv-viewer.js';
import { LivePlaylistChecker } from '../support/hls-checker.js';
import { request } from '../support/requests.js';
import { longestStandstill } from '../support/standstill.js';
import { waitFor } from '../support/wait.js';
import { serveWeir, type WeirProcess } from '../support/weir.js';
import { allServing, connectionsOf, isAlive, knownToAll, register, scraped, workersOf } from '../support/workers.js';

const cleanups = cleanupsAfterEach();
/** How long this process, with the origins and the viewers in it, stood still at most: no pause of the edge's making. */
const standstill = longestStandstill();

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
/** Who pulls the channel, and who takes it from there. */
async function roles(edge: WeirProcess, channel = 'news'): Promise<{ owner: number; other: number }> {
  const running = await allServing(edge);
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
  });
  return viewers;
}
/** Some on each worker: all of a burst go to one of them when the other stands still at that moment. */
async function audienceOnBoth(edge: WeirProcess, count: number): Promise<FlvViewer[]> {
  const viewers: FlvViewer[] = [];
  const onBoth = async () => {
    viewers.push(...(await audience(edge, count)));
    return workersOf(edge).every((pid) => connectionsOf(pid, edge) > 0);
  };
  await waitFor(onBoth, { what: 'viewers on both workers' });
  return viewers;
}
interface RelayInfo {
  readonly endpoint: string;
  readonly viewers: { readonly http: number; readonly websocket: number; readonly workers: number };
}
async function relaysOf(edge: WeirProcess): Promise<readonly RelayInfo[]> {
  const answer = await fetch(`${edge.admin}/api/v1/relays`);
  return ((await answer.json()) as { relays: RelayInfo[] }).relays;
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
    const excused = standstill();
    const paused = viewer.longestPause();
    assert.ok(paused < pause + excused, `paused for ${paused} ms; this process stood still for ${excused} ms`);
  }
}
/** Kills a worker with viewers; resolves with those who were not on it, when no more of them end. */
async function killed(worker: number, viewers: readonly FlvViewer[]): Promise<FlvViewer[]> {
  process.kill(worker, 'SIGKILL');
  await waitFor(() => !isAlive(worker), { what: 'its end' });
  let ended = 0;
  let quiet = 0;
  // Looks, not time: each lets this process read what has arrived.
  await waitFor(
    () => {
      const now = viewers.filter((viewer) => viewer.ended).length;
      quiet = now === ended ? quiet + 1 : 0;
      ended = now;
      return ended > 0 && quiet > 50;
    },
    { what: 'its viewers to be lost' },
  );
  return viewers.filter((viewer) => !viewer.ended);
}
async function goesOn(viewers: readonly FlvViewer[], what: string): Promise<void> {
  const before = viewers.map((viewer) => viewer.media.length);
  const grown = () =>
    viewers.every((viewer, index) => viewer.ended || viewer.media.length > (before[index] ?? 0) + 100);
  await waitFor(grown, { what });
}

test('the request log names path, channel and origin, whichever worker answers, and nothing of a query', async () => {
  const one = await origin();
  const edge = await edgeOf([one], '--set', 'log.requests=true');
  interface Line {
    readonly msg: string;
    readonly level: string;
    readonly time: string;
    readonly worker: number;
    readonly path: string;
    readonly channel: string;
    readonly endpoint: string;
    readonly remote: string;
  }
  const lines = () => {
    const complete = edge.log().split('\n').slice(0, -1);
    const parsed = complete.map((line) => JSON.parse(line) as Line);
    return parsed.filter(({ msg, path }) => msg === 'request' && path.includes('m3u8'));
  };
  const asked = async () => {
    const agent = new Agent({ keepAlive: false });
    assert.equal((await request(`${edge.players}/live/news.m3u8?token=correct-horse`, agent)).status, 200);
    return new Set(lines().map(({ worker }) => worker)).size === 2;
  };
  await waitFor(asked, { what: 'an answer of each worker' });
  for (const { level, time, path, channel, endpoint, remote } of lines()) {
    assert.deepEqual(
      { level, path, channel, endpoint, remote },
      {
        level: 'info',
        path: '/live/news.m3u8',
        channel: 'news',
        endpoint: one.address,
        remote: '127.0.0.1',
      },
    );
    assert.ok(Math.abs(Date.parse(time) - Date.now()) < 60_000, time);
  }
  assert.ok(!edge.log().includes('correct-horse'));
});

test('1,000 viewers on two workers: one pull at the origin', async () => {
  const one = await origin();
  const edge = await edgeOf([one], '--set', 'log.requests=false');
  const viewers = await audience(edge, 40);
  const seen = crowd(edge, 960);
  await waitFor(() => seen.started + seen.failed.length === 960, { what: 'the crowd', deadline: 60_000 });
  assert.deepEqual(seen.failed, []);
  assert.equal(one.viewers, 1);
  // A worker that is busy with the crowd may be late with an answer, and is then left out of it.
  await waitFor(async () => (await scraped(edge, 'weir_relay_viewers')) === 1000, { what: 'all to be counted' });
  await waitFor(async () => (await scraped(edge, 'weir_relays')) === 1, { what: 'one relay' });
  const relays = await waitFor(
    async () => {
      const all = await relaysOf(edge);
      return all.some(({ viewers: { http, websocket } }) => http + websocket === 1000) ? all : undefined;
    },
    { what: 'the relays of both workers' },
  );
  assert.equal(relays.length, 1);
  assert.equal(relays[0]?.endpoint, one.address);
  assert.equal(relays[0]?.viewers.workers, 1);
  await goesOn(viewers, 'the stream');
  assertUndisturbed(viewers, group);
});

test('the totals of a relayed stream are what viewers got, and what the origin sent', async () => {
  const one = await origin();
  const edge = await edgeOf([one], '--set', 'relay.linger=100ms');
  const bytes: number[] = [];
  let ended = 0;
  for (let i = 0; i < 20; i += 1) {
    get(`${edge.players}/live/news.flv`, { agent: false }, (response) => {
      bytes[i] = 0;
      response.on('data', (chunk: Buffer) => {
        bytes[i] = (bytes[i] ?? 0) + chunk.length;
      });
      response.on('end', () => {
        ended += 1;
      });
      response.on('error', () => undefined);
      cleanups.push(() => response.destroy());
    });
  }
  await waitFor(() => bytes.length === 20 && bytes.every((count) => count > 20_000), { what: 'the stream' });
  await one.close();
  await waitFor(() => ended === 20, { what: 'the end of all streams, when the grace is over', deadline: 60_000 });
  const requests = () => scraped(edge, 'weir_http_requests_total', { protocol: 'flv' });
  await waitFor(async () => (await requests()) >= 20, { what: 'all to be counted' });
  assert.equal(await requests(), 20);
  assert.equal(
    await scraped(edge, 'weir_http_sent_bytes_total', { protocol: 'flv' }),
    bytes.reduce((sum, count) => sum + count, 0),
  );
  assert.equal(await scraped(edge, 'weir_http_open_streams', { protocol: 'flv' }), 0);
});

test('kill -9 of the owner: viewers of the other worker see a short pause, and the channel goes back in peace', async () => {
  const one = await origin();
  const edge = await edgeOf([one]);
  const viewers = await audienceOnBoth(edge, 40);
  const { owner } = await roles(edge);
  const left = await killed(owner, viewers);
  assert.ok(left.length > 0);
  await waitFor(() => workersOf(edge).length === 2 && !workersOf(edge).includes(owner), {
    what: 'another worker',
    deadline: 2_000,
  });
  await goesOn(left, 'the stream after the failover');
  // The channel is the new worker's again, and the other one takes it from there: one pull, after all have moved.
  await allServing(edge);
  const movedBack = async () => (await relaysOf(edge))[0]?.viewers.workers === 1 && one.viewers === 1;
  await waitFor(movedBack, { what: 'the way back' });
  const back = await audience(edge, 20);
  await goesOn([...left, ...back], 'the stream after the way back');
  await waitFor(() => one.viewers === 1, { what: 'one pull' });
  assertUndisturbed(left, 1_000 + group);
  assertUndisturbed(back, group);
});

test('kill -9 of the worker that owns nothing: viewers of the owner see nothing', async () => {
  const one = await origin();
  const edge = await edgeOf([one]);
  const viewers = await audienceOnBoth(edge, 40);
  const { other } = await roles(edge);
  const left = await killed(other, viewers);
  assert.ok(left.length > 0);
  await goesOn(left, 'the stream');
  assertUndisturbed(left, 1_000);
  assert.equal(one.viewers, 1);
});

test('a worker stands still: players do not wait for it to take its part of them', async () => {
  const one = await origin();
  const edge = await edgeOf([one], '--set', 'cluster.stuckAfter=60s');
  const { other } = await roles(edge);
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
  await waitFor(() => edge.log().includes('settings in effect'), { what: 'the reload' });
  const fresh = await audience(edge, 20);
  const endedEarly = viewers.filter((viewer) => viewer.ended).length;
  if (performance.now() - reloadedAt < 5_000)
    assert.equal(endedEarly, 0, 'nobody is sent away before the grace is over');
  assertUndisturbed(
    viewers.filter((viewer) => !viewer.ended),
    1_000 + group,
  );
  await waitFor(() => !old.some(isAlive), { what: 'the end of the old workers' });
  await waitFor(() => viewers.every((viewer) => viewer.ended), { what: 'the end of their viewers' });
  assert.ok(viewers.every((viewer) => viewer.stepsBack().length === 0));
  await waitFor(() => one.viewers === 1, { what: 'one pull' });
  await goesOn(fresh, 'the stream of the new workers');
  assertUndisturbed(fresh, 1_000 + group);
});

/** HLS players who take the playlist over connections of their own, to whichever worker they come, and every new segment. */
class HlsPlayers {
  readonly failures: string[] = [];
  readonly checkers: LivePlaylistChecker[] = [];
  readonly bodies = new Map<string, string>();
  segments = 0;
  /** Answers with status 200. */
  answers = 0;
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
      if (answer.status === 200) this.answers += 1;
      else this.failures.push(`${answer.status} ${path} ${answer.body.subarray(0, 100)}`);
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
    deadline: 60_000,
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
  // A request is counted a moment after its answer has arrived.
  const requests = () => scraped(edge, 'weir_http_requests_total', { protocol: 'hls', status_class: '2xx' });
  await waitFor(async () => (await requests()) >= players.answers, { what: 'the last request to be counted' });
  assert.equal(await requests(), players.answers);
  assert.equal(
    await scraped(edge, 'weir_hls_requests_total'),
    players.answers,
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
    const { owner } = await roles(edge);
    process.kill(owner, 'SIGKILL');
    await waitFor(() => !isAlive(owner), { what: 'its end' });
    await allServing(edge);
    await hlsGoesOn(players);
  }
  edge.child.kill('SIGHUP');
  await waitFor(() => edge.log().includes('settings in effect'), { what: 'the reload' });
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
    deadline: 60_000,
  });
  process.kill((await roles(edge)).owner, 'SIGKILL');
  await hlsGoesOn(players);
  await players.stop();
  assertCoherent(players);
});
