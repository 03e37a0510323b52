// HLS through the edge, in front of origins that package on their own: ffmpeg, started at different times, killed in use.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium } from 'playwright-core';
import { cleanupsAfterEach } from '../support/cleanups.js';
import { endpoint, metricValue, startDataPlane, type TestDataPlane } from '../support/data-plane.js';
import { FfmpegPackager } from '../support/ffmpeg-packager.js';
import { LivePlaylistChecker } from '../support/hls-checker.js';
import { startHttpOrigin } from '../support/origin-server.js';
import { SimulatedPackager } from '../support/simulated-packager.js';
import { waitFor } from '../support/wait.js';

const cleanups = cleanupsAfterEach();

async function packager(): Promise<FfmpegPackager> {
  const started = await FfmpegPackager.start('news');
  cleanups.push(() => started.kill());
  return started;
}

/** An edge whose order of preference is the order of the origins. */
async function edge(...origins: { readonly address: string }[]): Promise<TestDataPlane> {
  const weir = await startDataPlane();
  cleanups.push(() => weir.close());
  weir.register(...origins.map(({ address }, index) => endpoint('news', address, { load: 0.1 * (index + 1) })));
  return weir;
}

const switches = (weir: TestDataPlane) => metricValue(weir.metrics, 'weir_hls_switches_total');

const isTransportStream = (body: Buffer) => body.length % 188 === 0 && body[0] === 0x47;

/** Reloads once a second and downloads every segment it sees, as players do; notes whatever goes wrong. */
class Player {
  readonly problems: string[] = [];
  readonly checker = new LivePlaylistChecker();
  readonly #base: string;
  readonly #accepts: (body: Buffer) => boolean;
  readonly #seen = new Set<string>();
  #going = true;
  reloads = 0;
  readonly done: Promise<void>;

  constructor(weir: TestDataPlane, delay: number, accepts: (body: Buffer) => boolean = isTransportStream) {
    this.#accepts = accepts;
    this.#base = `${weir.url}/live/news.m3u8`;
    this.done = this.#run(delay);
  }

  stop(): void {
    this.#going = false;
  }

  /** Segments that it saw listed from the last seam on. */
  get beyond(): number {
    const known = [...this.checker.known.values()];
    const seam = known.findLastIndex(({ discontinuity }) => discontinuity);
    return seam === -1 ? 0 : known.length - seam;
  }

  async #run(delay: number): Promise<void> {
    await sleep(delay);
    while (this.#going) {
      const text = await this.#get(this.#base);
      this.reloads += 1;
      const playlist = text === undefined ? undefined : this.checker.see(text.toString());
      for (const { uri } of playlist?.segments ?? []) {
        if (this.#seen.has(uri)) continue;
        this.#seen.add(uri);
        const body = await this.#get(new URL(uri, this.#base).href);
        if (body !== undefined && !this.#accepts(body)) this.problems.push(`${uri} is not whole`);
      }
      await sleep(900 + Math.random() * 200);
    }
  }

  async #get(url: string): Promise<Buffer | undefined> {
    try {
      const response = await fetch(url);
      const body = Buffer.from(await response.arrayBuffer());
      if (response.status === 200) return body;
      this.problems.push(`${response.status} for ${url}`);
    } catch (error) {
      this.problems.push(`${(error as Error).message} for ${url}`);
    }
    return undefined;
  }
}

/** Resolves when each of them has reloaded so many times more. */
async function reloaded(players: readonly Player[], times: number): Promise<void> {
  const before = players.map(({ reloads }) => reloads);
  const all = () => players.every(({ reloads }, index) => reloads >= (before[index] ?? 0) + times);
  await waitFor(all, { what: `${times} reloads of each player`, deadline: 60_000 });
}

test('50 players, each object fetched once, and the origin in use killed: no player notices', async (t) => {
  const a = await packager();
  const b = await packager();
  const weir = await edge(a, b);
  const startedAt = performance.now();
  const players = Array.from({ length: 50 }, (_, index) => new Player(weir, index * 20));
  cleanups.push(() => {
    for (const player of players) player.stop();
  });
  await reloaded(players, 6);
  await a.kill();
  await waitFor(async () => (await switches(weir)) === 1, { what: 'the switch' });
  await waitFor(() => players.every(({ beyond }) => beyond >= 4), { what: 'segments of the other', deadline: 60_000 });
  for (const player of players) player.stop();
  await Promise.all(players.map(({ done }) => done));

  assert.deepEqual(
    players.flatMap(({ problems }) => problems),
    [],
  );
  assert.deepEqual(
    players.flatMap(({ checker }) => checker.violations),
    [],
  );
  const discontinuities = [...(players[0]?.checker.known.values() ?? [])].filter(({ discontinuity }) => discontinuity);
  assert.equal(discontinuities.length, 1);
  for (const origin of [a, b]) {
    const repeated = [...origin.counts].filter(([path, count]) => path.endsWith('.ts') && count > 1);
    assert.deepEqual(repeated, []);
  }
  const reloads = players.reduce((sum, player) => sum + player.reloads, 0);
  const fetched = (a.counts.get('/live/news.m3u8') ?? 0) + (b.counts.get('/live/news.m3u8') ?? 0);
  t.diagnostic(`${reloads} reloads of players cost ${fetched} requests to origins`);
  // One for half of a target duration of two seconds, and what the switch cost.
  const seconds = (performance.now() - startedAt) / 1_000;
  assert.ok(fetched <= seconds + 10, `${fetched} playlists in ${seconds} s`);
});

test('50 players in front of origins with sessions of their own, as SRS makes them: none of it is seen', async () => {
  const origins = [900, 100].map((first, index) => {
    return new SimulatedPackager({ name: 'AB'[index] ?? '', first, duration: 2, session: 'ctx' });
  });
  const [a, b] = origins;
  assert.ok(a !== undefined && b !== undefined);
  for (const origin of origins) {
    await origin.start();
    cleanups.push(() => origin.close());
    const growing = setInterval(() => origin.grow(), 2_000);
    cleanups.push(() => clearInterval(growing));
  }
  const weir = await edge(a, b);
  const isWhole = (body: Buffer) => /^[AB] life 0 segment \d+ x{1000}$/.test(body.toString());
  const players = Array.from({ length: 50 }, (_, index) => new Player(weir, index * 20, isWhole));
  cleanups.push(() => {
    for (const player of players) player.stop();
  });
  const contexts = () => [...new Set(a.requests.flatMap(({ url }) => /hls_ctx=(\w+)/.exec(url ?? '')?.[1] ?? []))];
  await reloaded(players, 4);
  a.forgetSessions();
  await waitFor(() => contexts().length === 2, { what: 'another session' });
  await reloaded(players, 3);
  await a.close();
  await waitFor(async () => (await switches(weir)) === 1, { what: 'the switch' });
  await waitFor(() => players.every(({ beyond }) => beyond >= 3), { what: 'segments of the other', deadline: 60_000 });
  for (const player of players) player.stop();
  await Promise.all(players.map(({ done }) => done));

  const wrong = players.flatMap(({ problems, checker }) => [...problems, ...checker.violations]);
  assert.deepEqual(wrong, []);
  for (const player of players) {
    for (const { uri } of player.checker.known.values()) assert.doesNotMatch(uri, /hls_ctx/);
  }
  for (const origin of origins) assert.equal(Math.max(...origin.segmentCounts.values()), 1);
  assert.deepEqual(contexts(), ['s1', 's2'], 'one client, whose session was lost once');
});

test('hls.js in Chromium plays on through two switches', async (t) => {
  const origins = [await packager(), await packager(), await packager()];
  const weir = await edge(...origins);
  const script = readFileSync(createRequire(import.meta.url).resolve('hls.js/dist/hls.min.js'));
  const site = await startHttpOrigin((request, response) => {
    if (request.url === '/hls.js') response.end(script);
    else response.setHeader('content-type', 'text/html').end(pageFor(`${weir.url}/live/news.m3u8`));
  });
  cleanups.push(() => site.close());
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--autoplay-policy=no-user-gesture-required'],
  });
  cleanups.push(() => browser.close());
  const page = await browser.newPage();
  await page.goto(`http://${site.address}/`);
  const watched = () => page.evaluate<Watched>('window.watched()');
  const playsFor = async (seconds: number, what: string) => {
    const from = (await watched()).time;
    await waitFor(async () => (await watched()).time >= from + seconds, { deadline: 60_000, what });
  };
  await waitFor(async () => (await watched()).time > 1, { deadline: 60_000, what: 'the first picture' });
  const begun = await watched();
  await playsFor(6, 'the first origin');
  const before = await watched();
  for (const [index, origin] of origins.slice(0, 2).entries()) {
    await origin.kill();
    await waitFor(async () => (await switches(weir)) === index + 1, { what: `switch ${index + 1}` });
    // Past the seam: what was buffered, and then some.
    await playsFor(12, `origin ${index + 2}`);
  }
  const after = await watched();
  t.diagnostic(`stalled ${after.stalled - before.stalled} ms in two switches; errors: ${JSON.stringify(after.errors)}`);
  assert.deepEqual(
    after.errors.filter(({ fatal }) => fatal),
    [],
  );
  // A busy machine plays with pauses of its own: as many as before there was any switch.
  const own = ((before.stalled - begun.stalled) / (before.time - begun.time)) * (after.time - before.time);
  const stalled = after.stalled - before.stalled;
  assert.ok(
    stalled < 2_000 + own,
    `stalled ${stalled} ms; ${Math.round(own)} ms of them would have been without switches`,
  );
});

interface Watched {
  /** Seconds of media played. */
  readonly time: number;
  /** ms without progress since the first picture. */
  readonly stalled: number;
  readonly errors: { details: string; fatal: boolean }[];
}

/** Measures what was played by the clock of the media, however the player's own time jumps. */
function pageFor(url: string): string {
  return `<!doctype html><video muted autoplay></video><script src="/hls.js"></script><script>
    const video = document.querySelector('video');
    const errors = [];
    const hls = new Hls({ lowLatencyMode: false });
    hls.on(Hls.Events.ERROR, (_event, { details, fatal }) => errors.push({ details, fatal }));
    hls.loadSource(${JSON.stringify(url)});
    hls.attachMedia(video);
    let played = 0, stalled = 0, last = 0, lastAt = performance.now(), begun = false;
    setInterval(() => {
      const now = performance.now();
      const step = video.currentTime - last;
      if (begun && step <= 0) stalled += now - lastAt;
      if (step > 0 && step < 2) { played += step; begun = true; }
      last = video.currentTime;
      lastAt = now;
    }, 100);
    window.watched = () => ({ time: played, stalled: Math.round(stalled), errors });
  </script>`;
}

test('ffmpeg decodes 30 s through a switch', async (t) => {
  const a = await packager();
  const b = await packager();
  const weir = await edge(a, b);
  const child = spawn('ffmpeg', [
    ...['-hide_banner', '-loglevel', 'error', '-progress', 'pipe:1', '-i', `${weir.url}/live/news.m3u8`],
    ...['-t', '30', '-f', 'null', '-'],
  ]);
  cleanups.push(() => child.kill('SIGKILL'));
  let errors = '';
  let progress = '';
  /** The last value that ffmpeg told. */
  const told = (what: string) => Number([...progress.matchAll(new RegExp(`^${what}=(\\d+)\n`, 'gm'))].at(-1)?.[1] ?? 0);
  const decoded = () => told('out_time_us') / 1e6;
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk;
  });
  child.stdout.on('data', (chunk: Buffer) => {
    progress += chunk;
  });
  await waitFor(() => decoded() > 8, { deadline: 60_000, what: '8 s decoded' });
  await a.kill();
  const [code] = (await once(child, 'close', { signal: AbortSignal.timeout(120_000) })) as [number | null];
  t.diagnostic(`${decoded()} s, ${told('frame')} frames; ffmpeg said: ${errors === '' ? 'nothing' : errors}`);
  assert.equal(code, 0);
  assert.equal(errors, '');
  assert.ok(decoded() > 29, `${decoded()} s`);
  assert.equal(await switches(weir), 1);
});
