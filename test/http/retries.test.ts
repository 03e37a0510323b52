// The same failure of an endpoint, met by each kind of request: another endpoint answers, the player notices nothing, and the
// retry is counted. In front of real servers.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { suite, test } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import type { ConfigInput } from '../../src/config-schema.js';
import { cleanupsAfterEach } from '../support/cleanups.js';
import { endpoint, metricValue, startDataPlane, type TestDataPlane } from '../support/data-plane.js';
import { startHttpOrigin, startRawOrigin } from '../support/origin-server.js';

const cleanups = cleanupsAfterEach();

const playlist = '#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n1.ts\n#EXTINF:2,\n2.ts\n#EXTINF:2,\n3.ts\n';

/** Has playlists and objects, and accepts WebSockets. */
async function wellOrigin(): Promise<string> {
  const origin = await startHttpOrigin((request, response) => {
    response.end(request.url?.includes('.m3u8') === true ? playlist : 'good');
  });
  const sockets = new WebSocketServer({ server: origin.server });
  sockets.on('connection', (socket) => socket.send('good'));
  cleanups.push(() => {
    for (const client of sockets.clients) client.terminate();
    sockets.close();
    return origin.close();
  });
  return origin.address;
}

/** Answers every request with these bytes and ends the connection. */
async function rawOrigin(answer: string): Promise<string> {
  const origin = await startRawOrigin((socket: Socket) => {
    socket.once('data', () => socket.end(answer));
  });
  cleanups.push(() => origin.close());
  return origin.address;
}

async function ask(weir: TestDataPlane, path: string): Promise<string> {
  const response = await fetch(weir.url + path);
  assert.equal(response.status, 200);
  return response.text();
}

async function askWebSocket(weir: TestDataPlane): Promise<string> {
  const socket = new WebSocket(`ws://127.0.0.1:${weir.port}/live/news.flv`);
  cleanups.push(() => socket.terminate());
  const [message] = await once(socket, 'message');
  return String(message);
}

interface Kind {
  readonly name: string;
  readonly settings: ConfigInput;
  readonly play: (weir: TestDataPlane) => Promise<string>;
}

const passThrough = { hls: { mode: 'passthrough' }, relay: { enabled: false } } as const;
const kinds: readonly Kind[] = [
  { name: 'a playlist', settings: {}, play: (weir) => ask(weir, '/live/news.m3u8') },
  { name: 'an HLS object', settings: {}, play: (weir) => ask(weir, '/live/news/1.ts') },
  { name: 'what is passed through', settings: passThrough, play: (weir) => ask(weir, '/live/news/1.ts') },
  { name: 'a WebSocket that is passed through', settings: passThrough, play: askWebSocket },
];

const failures: readonly [name: string, cause: string, outcome: string, answer: string][] = [
  ['cuts the connection', 'upstream_cut', 'cut', ''],
  ['answers 503', 'upstream_status', 'bad_status', 'HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n'],
  ['has too much to do', 'upstream_status', 'abandoned', 'HTTP/1.1 429 No\r\nContent-Length: 0\r\n\r\n'],
  ['speaks something else', 'upstream_bad_response', 'bad_response', '220 smtp\r\n'],
];

for (const { name, settings, play } of kinds) {
  suite(`${name}, of an endpoint that`, () => {
    for (const [how, cause, outcome, answer] of failures) {
      test(`${how}, comes from another one, and the retry is counted`, async () => {
        const weir = await startDataPlane(settings);
        cleanups.push(() => weir.close());
        const bad = await rawOrigin(answer);
        weir.register(endpoint('news', bad, { load: 0 }), endpoint('news', await wellOrigin(), { load: 0.9 }));
        assert.match(await play(weir), /^good$|#EXTM3U/);
        assert.equal(await metricValue(weir.metrics, 'weir_retries_total', { cause }), 1);
        assert.equal(await metricValue(weir.metrics, 'weir_retries_total'), 1);
        assert.equal(await metricValue(weir.metrics, 'weir_picks_total', { outcome }), 1);
      });
    }
  });
}

for (const { name, play, settings } of kinds.slice(0, 3)) {
  test(`${name} that is cut between its header and its first byte comes from another endpoint`, async () => {
    const weir = await startDataPlane(settings);
    cleanups.push(() => weir.close());
    const bad = await rawOrigin('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n');
    weir.register(endpoint('news', bad, { load: 0 }), endpoint('news', await wellOrigin(), { load: 0.9 }));
    assert.match(await play(weir), /^good$|#EXTM3U/);
    assert.equal(await metricValue(weir.metrics, 'weir_retries_total', { cause: 'upstream_cut' }), 1);
  });
}
