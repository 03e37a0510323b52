// What sessions are counted with is what they hold: the bound on their memory is one on the process.

import assert from 'node:assert/strict';
import { Agent, get, type IncomingHttpHeaders } from 'node:http';
import { suite, test } from 'node:test';
import { cleanupsAfterEach } from '../../support/cleanups.js';
import { endpoint, metricValue, startDataPlane } from '../../support/data-plane.js';
import { heldBytes } from '../../support/garbage.js';
import { startHttpOrigin } from '../../support/origin-server.js';
import { runs } from '../../support/runs.js';

const cleanups = cleanupsAfterEach();

/** Bytes by which what this process holds differs from one time to the next, whatever happens. */
const noise = 1.5 * 1024 * 1024;

const warm = 8;

interface Ask {
  readonly path?: string;
  readonly authorization: string;
}

interface Case {
  readonly name: string;
  readonly sessions: number;
  /** What the endpoint answers. */
  readonly answer: (path: string) => string;
  readonly headers?: IncomingHttpHeaders;
  /** What one player asks, one after the other. */
  readonly asks?: (player: number) => readonly Ask[];
}

const segments = (count: number, more: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => more(index)).join('');
const media = (body: string, head = '') =>
  `#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:100\n${head}${body}`;
const plain = (count: number) => media(segments(count, (index) => `#EXTINF:4.000,\nnews-${100 + index}.ts\n`));
const bearer = (player: number, length = 0) => `Bearer ${player} ${'t'.repeat(length)}`;
const variant = (index: number) =>
  `#EXT-X-STREAM-INF:BANDWIDTH=${index + 1},CODECS="avc1.640028,mp4a.40.2"\nnews/variant-${index}/list.m3u8?signature=${'s'.repeat(100)}${index}\n`;

const once = (player: number): readonly Ask[] => [{ authorization: bearer(player) }];

const cases: readonly Case[] = [
  { name: 'a short playlist', sessions: 250, answer: () => plain(6) },
  { name: 'a long playlist', sessions: 12, answer: () => plain(1_000) },
  {
    name: 'a playlist with times, maps, byte ranges and titles in other scripts',
    sessions: 15,
    answer: () =>
      media(
        segments(
          300,
          (index) =>
            `#EXT-X-MAP:URI="init-${index}.mp4"\n#EXT-X-PROGRAM-DATE-TIME:${new Date(4e12 + index * 4000).toISOString()}\n#EXTINF:4.000,Новости в ${index}\n#EXT-X-BYTERANGE:1000@${index * 1000}\nnews-${100 + index}.mp4\n`,
        ),
      ),
  },
  {
    name: 'a playlist of which most is not for players',
    sessions: 30,
    answer: () =>
      media(segments(6, (index) => `#EXTINF:4,\nnews-${100 + index}.ts\n`)) +
      '#EXT-X-RENDITION-REPORT:URI="x"\n'.repeat(8_000),
  },
  {
    name: 'a playlist with a header of its own',
    sessions: 30,
    answer: () =>
      media(
        segments(6, (index) => `#EXTINF:4,\nnews-${100 + index}.ts\n`),
        '#EXT-X-START:TIME-OFFSET=-12.5\n'.repeat(50),
      ) + '#EXT-X-RENDITION-REPORT:URI="x"\n'.repeat(8_000),
  },
  {
    name: 'playlists with a validator, each under its own query',
    sessions: 8,
    answer: () => plain(400),
    headers: { etag: '"1"' },
    asks: (player) =>
      Array.from({ length: 4 }, (_, index) => ({ authorization: bearer(player), path: `/live/news_${index}.m3u8` })),
  },
  {
    name: 'a multivariant of many variants',
    sessions: 20,
    answer: () => `#EXTM3U\n${segments(500, variant)}`,
  },
  {
    name: 'many playlists under long names',
    sessions: 10,
    answer: () => plain(3),
    asks: (player) =>
      Array.from({ length: 12 }, (_, index) => ({
        authorization: bearer(player),
        path: `/live/news/${'n'.repeat(3_000)}${index}.m3u8`,
      })),
  },
];

interface Growth {
  readonly held: number;
  readonly counted: number;
}

/** By what sessions make a worker grow. */
async function growth({ sessions, answer, headers = {}, asks = once }: Omit<Case, 'name'>): Promise<Growth> {
  const origin = await startHttpOrigin((request, response) => {
    origin.requests.length = 0;
    response.writeHead(200, headers).end(answer(request.url ?? ''));
  });
  cleanups.push(() => origin.close());
  const weir = await startDataPlane({ hls: { prefetch: false, sessionMemory: '1GiB' } });
  cleanups.push(() => weir.close());
  weir.register(endpoint('news', origin.address));
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  cleanups.push(() => agent.destroy());
  const play = async (from: number, to: number) => {
    for (let player = from; player < to; player += 1) {
      for (const { path = '/live/news.m3u8', authorization } of asks(player)) {
        assert.equal(await status(weir.port, path, authorization, agent), 200);
      }
    }
  };
  const counted = async () => {
    weir.plane.collect();
    return metricValue(weir.metrics, 'weir_hls_session_bytes');
  };
  // What the first ones bring about is not theirs: code, connections, buffers.
  await play(0, warm);
  const before = { held: heldBytes(), counted: await counted() };
  await play(warm, warm + sessions);
  return { held: heldBytes() - before.held, counted: (await counted()) - before.counted };
}

suite('a session is counted with what it holds', () => {
  // Each takes a second of processor time: the quick run takes the first one.
  for (const { name, ...more } of cases.slice(0, runs(1, cases.length))) {
    test(name, async () => {
      const { held, counted } = await growth(more);
      assert.ok(held <= counted + noise, `${more.sessions} sessions hold ${held} bytes, ${counted} are counted`);
    });
  }

  test('long credentials', async () => {
    const sessions = 5;
    const asks = (player: number) => [{ authorization: bearer(player, 12_000) }];
    const short = await growth({ sessions, answer: () => plain(6) });
    const long = await growth({ sessions, answer: () => plain(6), asks });
    assert.ok(long.counted - short.counted >= sessions * 12_000, `${long.counted} bytes, ${short.counted} without`);
  });
});

function status(port: number, path: string, authorization: string, agent: Agent): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get({ port, path, agent, headers: { authorization } }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode));
    }).on('error', reject);
  });
}
