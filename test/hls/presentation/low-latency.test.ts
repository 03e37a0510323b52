// Low latency: an origin that holds requests, behind a data plane.

import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { cleanupsAfterEach } from '../../support/cleanups.js';
import { endpoint, startDataPlane, type TestDataPlane } from '../../support/data-plane.js';
import { startHttpOrigin, type TestOrigin } from '../../support/origin-server.js';
import { SimulatedPackager } from '../../support/simulated-packager.js';
import { waitFor } from '../../support/wait.js';

const cleanups = cleanupsAfterEach();

/** Segments of 4 s in parts of 1 s; holds what is asked for until the test lets it out. */
class LowLatencyOrigin {
  last = 9;
  parts = 1;
  readonly held: { readonly url: string; readonly response: ServerResponse }[] = [];
  readonly asked: string[] = [];
  #origin: TestOrigin | undefined;

  async start(): Promise<this> {
    this.#origin = await startHttpOrigin((request, response) => {
      const url = request.url ?? '';
      this.asked.push(url);
      const { searchParams, pathname } = new URL(url, 'http://origin');
      const sequence = Number(searchParams.get('_HLS_msn') ?? -1);
      const part = Number(searchParams.get('_HLS_part') ?? -1);
      if (!pathname.endsWith('.m3u8')) {
        const [, number, index] = /news-(\d+)\.(\d+)\.m4s/.exec(pathname) ?? [];
        const there = Number(number) <= this.last || Number(index) < this.parts;
        if (there) response.end(`part ${pathname}`);
        else this.held.push({ url, response });
      } else if (sequence > this.last && !(sequence === this.last + 1 && part >= 0 && part < this.parts)) {
        this.held.push({ url, response });
      } else response.end(this.playlist());
    });
    cleanups.push(() => this.#origin?.close());
    return this;
  }

  get address(): string {
    return this.#origin?.address ?? '';
  }

  playlist(): string {
    const next = this.last + 1;
    const segments = Array.from({ length: 6 }, (_, index) => `#EXTINF:4,\nnews-${this.last - 5 + index}.m4s\n`);
    const parts = Array.from(
      { length: this.parts },
      (_, index) => `#EXT-X-PART:DURATION=1,URI="news-${next}.${index}.m4s"\n`,
    );
    return (
      `#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-TARGETDURATION:4\n#EXT-X-PART-INF:PART-TARGET=1\n` +
      `#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=3,CAN-SKIP-UNTIL=24\n` +
      `#EXT-X-MEDIA-SEQUENCE:${this.last - 5}\n#EXT-X-MAP:URI="news-init.mp4"\n${segments.join('')}${parts.join('')}` +
      `#EXT-X-PRELOAD-HINT:TYPE=PART,URI="news-${next}.${this.parts}.m4s"\n`
    );
  }

  /** A new part is there. */
  advance(): void {
    this.parts += 1;
    if (this.parts === 4) {
      this.last += 1;
      this.parts = 0;
    }
    for (const { url, response } of this.held.splice(0))
      response.end(url.includes('.m3u8') ? this.playlist() : `part ${url}`);
  }
}

/** ms; what an origin holds is held for longer than this. */
const firstByteTimeout = 1_000;

async function edge(...addresses: string[]): Promise<TestDataPlane> {
  const weir = await startDataPlane({ upstream: { firstByteTimeout: `${firstByteTimeout}ms`, retries: 0 } });
  cleanups.push(() => weir.close());
  weir.register(...addresses.map((address, index) => endpoint('news', address, { load: 0.1 + index / 2 })));
  return weir;
}
async function get(weir: TestDataPlane, path: string) {
  const response = await fetch(weir.url + path);
  return { status: response.status, text: await response.text() };
}

test('a blocking reload waits at the origin, those who ask for the same as one, beyond the ordinary deadline', async () => {
  const origin = await new LowLatencyOrigin().start();
  const weir = await edge(origin.address);
  const first = await get(weir, '/live/news.m3u8');
  assert.match(first.text, /PRELOAD-HINT:TYPE=PART,URI="news-10\.1\.m4s\?weir=[\w-]{8}\.\.h"/);
  const asked = Array.from({ length: 10 }, () => get(weir, '/live/news.m3u8?_HLS_msn=10&_HLS_part=1'));
  await waitFor(() => origin.held.length > 0);
  await sleep(1.5 * firstByteTimeout);
  assert.deepEqual(
    origin.held.map(({ url }) => url),
    ['/live/news.m3u8?_HLS_msn=10&_HLS_part=1'],
  );
  origin.advance();
  for (const { text } of await Promise.all(asked))
    assert.match(text, /news-10\.1\.m4s\?weir=[^"]*"\n#EXT-X-PRELOAD-HINT/);
});

test('what is there already is answered, and what is too far ahead is refused', async () => {
  const origin = await new LowLatencyOrigin().start();
  const weir = await edge(origin.address);
  await get(weir, '/live/news.m3u8');
  assert.equal((await get(weir, '/live/news.m3u8?_HLS_msn=10&_HLS_part=0')).status, 200);
  assert.equal((await get(weir, '/live/news.m3u8?_HLS_msn=9')).status, 200);
  assert.equal((await get(weir, '/live/news.m3u8?_HLS_msn=13')).status, 400);
  assert.equal(origin.held.length, 0);
});

test('made-up parts are refused, and a part without its segment is', async () => {
  const origin = await new LowLatencyOrigin().start();
  const weir = await edge(origin.address);
  await get(weir, '/live/news.m3u8');
  assert.equal((await get(weir, '/live/news.m3u8?_HLS_part=1')).status, 400);
  // Until it is fresh no more, in which case the origin is asked first: it says the same.
  assert.equal((await get(weir, '/live/news.m3u8?_HLS_msn=10&_HLS_part=4')).status, 400);
  assert.equal((await get(weir, '/live/news.m3u8?_HLS_msn=11&_HLS_part=900')).status, 400);
  assert.ok(origin.held.length === 0);
});

test('strangers who ask for parts further ahead take no place of a player', async () => {
  const origin = await new LowLatencyOrigin().start();
  const weir = await edge(origin.address);
  await get(weir, '/live/news.m3u8');
  const strangers = [2, 3].flatMap((part) =>
    Array.from({ length: 10 }, () => get(weir, `/live/news.m3u8?_HLS_msn=10&_HLS_part=${part}`)),
  );
  strangers.push(get(weir, '/live/news.m3u8?_HLS_msn=10'), get(weir, '/live/news.m3u8?_HLS_msn=11'));
  await waitFor(() => origin.held.length === 2);
  for (let part = 1; part < 4; part += 1) {
    const asked = get(weir, `/live/news.m3u8?_HLS_msn=10&_HLS_part=${part}`);
    await waitFor(() => origin.held.some(({ url }) => url.endsWith(`_HLS_msn=10&_HLS_part=${part}`)));
    assert.ok(origin.held.length <= 2);
    origin.advance();
    assert.match((await asked).text, new RegExp(`news-10\\.${part}\\.m4s|news-10\\.m4s`));
  }
  for (let left = 4; left > 0; left -= 1) {
    await waitFor(() => origin.held.length > 0);
    origin.advance();
  }
  for (const { status } of await Promise.all(strangers)) assert.equal(status, 200);
});

test('a player who has seen more at another edge is answered when this one has asked, not refused', async () => {
  const origin = await new LowLatencyOrigin().start();
  const weir = await edge(origin.address);
  await get(weir, '/live/news.m3u8');
  origin.last += 6;
  const metric = async () => (await get(weir, `/live/news.m3u8?_HLS_msn=${origin.last}`)).status;
  // The playlist is fresh for half a part; a player that comes from elsewhere asks again.
  assert.equal(await waitFor(async () => (await metric()) === 200), true);
  const asked = get(weir, `/live/news.m3u8?_HLS_msn=${origin.last + 1}&_HLS_part=1`);
  await waitFor(() => origin.held.length === 1);
  origin.advance();
  assert.equal((await asked).status, 200);
});

test('a player who comes from another edge waits for what it asks for, though nobody has asked here yet', async () => {
  const origin = await new LowLatencyOrigin().start();
  const weir = await edge(origin.address);
  const asked = get(weir, '/live/news.m3u8?_HLS_msn=10&_HLS_part=1');
  await waitFor(() => origin.held.length === 1);
  origin.advance();
  assert.match((await asked).text, /PART:DURATION=1,URI="news-10\.1\.m4s/);
});

test("after a worker's end, its players are answered by what the endpoint says now, not by what the worker left", async () => {
  const origin = await new LowLatencyOrigin().start();
  const before = await edge(origin.address);
  // Of what nobody watches, nothing is told.
  const states = await waitFor(async () => {
    await get(before, '/live/news.m3u8');
    const told = before.plane.newHlsStates();
    return told.length > 0 ? told : undefined;
  });
  const after = await edge(origin.address);
  after.plane.adoptHls(states);
  origin.last += 6;
  for (const query of [`_HLS_msn=${origin.last}`, `_HLS_msn=${origin.last + 1}&_HLS_part=0`]) {
    const { status, text } = await get(after, `/live/news.m3u8?${query}`);
    assert.equal(status, 200);
    assert.match(text, new RegExp(`news-${origin.last}\\.m4s`));
  }
});

test("a hinted part is held for all who ask as one request, and is nobody's failure", async () => {
  const origin = await new LowLatencyOrigin().start();
  const weir = await edge(origin.address);
  const { text } = await get(weir, '/live/news.m3u8');
  const hint = /HINT:TYPE=PART,URI="([^"]+)"/.exec(text)?.[1];
  const asked = [get(weir, `/live/${hint}`), get(weir, `/live/${hint}`)];
  await waitFor(() => origin.held.length === 1);
  await sleep(1.5 * firstByteTimeout);
  origin.advance();
  for (const answer of await Promise.all(asked)) assert.equal(answer.status, 200);
});

test("after a switch, players' numbers are told in the origin's", async () => {
  const plain = await new SimulatedPackager({ name: 'A', first: 100, duration: 4 }).start();
  cleanups.push(() => plain.close());
  const origin = await new LowLatencyOrigin().start();
  const weir = await edge(plain.address, origin.address);
  await get(weir, '/live/news.m3u8');
  await plain.close();
  weir.register(endpoint('news', origin.address));
  const { text } = await get(weir, '/live/news.m3u8');
  // 105 was the last of A, so 9 is 106.
  assert.match(text, /#EXT-X-DISCONTINUITY\n/);
  const asked = get(weir, '/live/news.m3u8?_HLS_msn=107&_HLS_part=1');
  await waitFor(() => origin.held.length === 1);
  assert.match(origin.held[0]?.url ?? '', /_HLS_msn=10&_HLS_part=1/);
  origin.advance();
  assert.match((await asked).text, /news-10\.1\.m4s/);
});

test('a player that asks for a delta update gets one, within the boundary', async () => {
  const origin = await new LowLatencyOrigin().start();
  const weir = await edge(origin.address);
  await get(weir, '/live/news.m3u8');
  const { text } = await get(weir, '/live/news.m3u8?_HLS_skip=YES');
  // 24 s of segments and none further from the end.
  assert.doesNotMatch(text, /EXT-X-SKIP/);
  assert.ok(!origin.asked.some((url) => url.includes('_HLS_skip')));
});
