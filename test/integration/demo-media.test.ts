// What the simulated origins send, judged by ffmpeg: it decodes across loop boundaries, and timestamps only grow.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, test } from 'node:test';
import { promisify } from 'node:util';
import { WebSocket } from 'ws';
import { type Origin, type OriginOptions, startOrigin } from '../../src/demo/origin.js';
import { FlvParser } from '../../src/relay/flv/parser.js';
import { type FlvTag, tagType } from '../../src/relay/flv/tag.js';
import { waitFor } from '../support/wait.js';

const run = promisify(execFile);
const directory = mkdtempSync(join(tmpdir(), 'weir-media-'));
after(() => rmSync(directory, { recursive: true, force: true }));

const running: Origin[] = [];
afterEach(async () => {
  for (const origin of running.splice(0)) await origin.close();
});

async function start(options: Partial<OriginOptions>): Promise<Origin> {
  const origin = await startOrigin({ channels: ['news'], ...options });
  running.push(origin);
  return origin;
}

const speed = 8;

/** ms that pass between two looks at a clock at most: the stream skips a longer pause, and the machine may have one. */
const longestStep = 8_000;

/** A clock that goes `factor` times as fast as the real one. */
function fastClock(factor: number): () => number {
  let seen = performance.now();
  let time = 0;
  return () => {
    const now = performance.now();
    time += Math.min((now - seen) * factor, longestStep);
    seen = now;
    return time;
  };
}

/** Decodes everything; anything ffmpeg has to say is an error. */
async function decode(file: string): Promise<void> {
  const { stderr } = await run('ffmpeg', ['-hide_banner', '-v', 'warning', '-i', file, '-f', 'null', '-']);
  assert.equal(stderr, '');
}

/** DTS of every packet in seconds, by stream. */
async function timestamps(file: string): Promise<{ video: number[]; audio: number[] }> {
  const read = async (stream: 'v' | 'a') => {
    const words = [
      '-v',
      'error',
      '-select_streams',
      stream,
      '-show_entries',
      'packet=dts_time',
      '-of',
      'csv=p=0',
      file,
    ];
    const { stdout } = await run('ffprobe', words, { maxBuffer: 64 * 1024 * 1024 });
    return stdout.split('\n').flatMap((line) => {
      const text = line.split(',')[0] ?? '';
      return text === '' ? [] : [Number(text)];
    });
  };
  return { video: await read('v'), audio: await read('a') };
}

/** Both tracks without a gap or a step back: 25 pictures a second, 1024 samples an audio frame. */
async function assertContinuous(file: string, seconds: number): Promise<void> {
  const { video, audio } = await timestamps(file);
  for (const [name, times, distance] of [
    ['video', video, 0.04],
    ['audio', audio, 1024 / 48_000],
  ] as const) {
    assert.ok(times.length >= seconds / distance - 2, `${name}: ${times.length} packets`);
    for (const [i, time] of times.entries()) {
      const step = time - (times[i - 1] ?? time - distance);
      assert.ok(Math.abs(step - distance) < 0.002, `${name}: ${times[i - 1]} is followed by ${time}`);
    }
  }
  assert.ok(Math.abs((video[0] ?? 0) - (audio[0] ?? 0)) < 0.05, 'both tracks begin together');
}

/** Reads an endless FLV body until it has so many seconds of media, and saves its whole tags. */
async function record(url: string, file: string, seconds: number): Promise<void> {
  const { body } = await fetch(url);
  assert.ok(body);
  const chunks: Uint8Array[] = [];
  let first: number | undefined;
  let last = 0;
  const onTag = ({ slot, timestamp, type }: FlvTag) => {
    if (slot !== undefined || type === tagType.script) return;
    first ??= timestamp;
    last = timestamp;
  };
  const parser = new FlvParser({ onHeader: () => undefined, onTag }, 1 << 24);
  // Leaving the loop ends the request.
  for await (const chunk of body) {
    chunks.push(chunk);
    parser.push(Buffer.from(chunk));
    if (last - (first ?? last) >= seconds * 1000) break;
  }
  writeFileSync(file, wholeTags(Buffer.concat(chunks)));
}

/** Without the tag that the end of the recording cut in two. */
function wholeTags(flv: Buffer): Buffer {
  let end = 13;
  while (end + 4 <= flv.length) {
    const next = end + 15 + flv.readUIntBE(end + 1, 3);
    if (next > flv.length) break;
    end = next;
  }
  return flv.subarray(0, end);
}

test('48 s of HLS segments are one stream for ffmpeg, loop boundaries included', async () => {
  let now = 0;
  const origin = await start({ clock: () => now, epoch: 0, mediaSequenceBase: 4711 });
  const parts: Buffer[] = [];
  let next = 4711;
  for (now = 12_000; next < 4711 + 24; now += 2_000) {
    const playlist = await (await fetch(`http://${origin.address}/live/news.m3u8`)).text();
    const first = Number(/#EXT-X-MEDIA-SEQUENCE:(\d+)/.exec(playlist)?.[1]);
    assert.ok(first <= next, 'no segment was missed');
    for (const [, uri = '', sequence] of playlist.matchAll(/^(news-(\d+)\.ts)$/gm)) {
      if (Number(sequence) !== next) continue;
      const answer = await fetch(`http://${origin.address}/live/${uri}`);
      assert.equal(answer.status, 200);
      parts.push(Buffer.from(await answer.arrayBuffer()));
      next += 1;
    }
  }
  const file = join(directory, 'hls.mpegts');
  writeFileSync(file, Buffer.concat(parts));
  await decode(file);
  await assertContinuous(file, 48);
});

for (const flvTimestamps of ['stream', 'connection'] as const) {
  test(`40 s of HTTP-FLV are one stream for ffmpeg, with timestamps of the ${flvTimestamps}`, async () => {
    const origin = await start({ clock: fastClock(speed), epoch: -100_500, flvTimestamps });
    const file = join(directory, `${flvTimestamps}.flv`);
    await record(`http://${origin.address}/live/news.flv`, file, 42);
    await decode(file);
    await assertContinuous(file, 40);
    const { video } = await timestamps(file);
    const begin = video[0] ?? 0;
    assert.ok(flvTimestamps === 'stream' ? begin >= 100 : begin === 0, `begins at ${begin}`);
    await waitFor(() => origin.viewers === 0, { what: 'the viewer to be forgotten' });
  });
}

test('ffmpeg plays the live playlist', async () => {
  const origin = await start({});
  const url = `http://${origin.address}/live/news.m3u8`;
  const { stderr } = await run('ffmpeg', ['-hide_banner', '-v', 'warning', '-i', url, '-t', '8', '-f', 'null', '-']);
  assert.equal(stderr, '');
});

test('WebSocket-FLV carries the same stream', async () => {
  const origin = await start({ clock: fastClock(speed), epoch: -1_000 });
  const file = join(directory, 'ws.flv');
  const messages: Buffer[] = [];
  const socket = new WebSocket(`ws://${origin.address}/live/news.flv`);
  socket.on('message', (data: Buffer) => messages.push(data));
  await waitFor(() => messages.reduce((sum, { length }) => sum + length, 0) > 700_000, {
    what: 'media',
    deadline: 60_000,
  });
  socket.close();
  await waitFor(() => origin.viewers === 0, { what: 'the viewer to be forgotten' });
  writeFileSync(file, wholeTags(Buffer.concat(messages)));
  await decode(file);
  await assertContinuous(file, 20);
});

test('a WebSocket for something else is answered 404', async () => {
  const origin = await start({});
  const socket = new WebSocket(`ws://${origin.address}/live/news.m3u8`);
  const status = await new Promise((resolve) => {
    socket.on('unexpected-response', (_, response) => resolve(response.statusCode));
    socket.on('error', () => undefined);
  });
  assert.equal(status, 404);
});

test('a viewer that does not read is cut, another one is not', async () => {
  let asked = 0;
  const onRequest = () => {
    asked += 1;
    return undefined;
  };
  const origin = await start({ clock: fastClock(200), maxBacklogBytes: 64 * 1024, onRequest });
  const idle = connect(origin.port, '127.0.0.1');
  idle.on('error', () => undefined);
  idle.write(`GET /live/news.flv HTTP/1.1\r\nHost: ${origin.address}\r\n\r\n`);
  idle.pause();
  const reader = new AbortController();
  const { body } = await fetch(`http://${origin.address}/live/news.flv`, { signal: reader.signal });
  assert.ok(body);
  let received = 0;
  const reading = (async () => {
    for await (const chunk of body) received += chunk.length;
  })();
  await waitFor(() => asked === 2, { what: 'both viewers' });
  await waitFor(() => origin.viewers === 1, { deadline: 60_000, what: 'the idle one to be cut' });
  const before = received;
  await waitFor(() => received > before, { what: 'the other one to go on' });
  reader.abort();
  await assert.rejects(reading, { name: 'AbortError' });
  idle.destroy();
});

test('every request is seen by the hook, which may answer it', async () => {
  const seen: (string | undefined)[] = [];
  const origin = await start({
    onRequest: (request, response) => {
      seen.push(request.url);
      if (request.url !== '/live/news.m3u8?fail') return undefined;
      response?.writeHead(503).end();
      return 'handled';
    },
  });
  assert.equal((await fetch(`http://${origin.address}/live/news.m3u8?fail`)).status, 503);
  assert.equal((await fetch(`http://${origin.address}/live/news.m3u8`)).status, 200);
  assert.deepEqual(seen, ['/live/news.m3u8?fail', '/live/news.m3u8']);
});
