import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answer, type OriginRequest } from '../../src/demo/origin-answer.js';

const content = {
  app: 'live',
  channels: ['news', 'news-hd'],
  segmentSeconds: 2,
  windowSegments: 3,
  sequenceBase: 100,
  segment: (index: number) => Buffer.from(`segment ${index}`),
};
const at = 21;
const ask = (url: string, more: Partial<OriginRequest> = {}) => answer({ method: 'GET', url, ...more }, content, at);
const whole = (url: string, more: Partial<OriginRequest> = {}) => {
  const reply = ask(url, more);
  assert.ok(reply.kind === 'whole');
  return { status: reply.status, headers: reply.headers, body: reply.body.toString() };
};

const statuses: [string, number][] = [
  ['/live/news.m3u8', 200],
  ['/live/news-hd.m3u8?token=a', 200],
  ['/live/news-109.ts', 200],
  ['/live/news-hd-107.ts', 200],
  // Three segments behind the window of 107 to 109.
  ['/live/news-104.ts', 200],
  ['/live/news-103.ts', 404],
  ['/live/news-110.ts', 404],
  ['/live/news-99.ts', 404],
  ['/live/news-.ts', 404],
  ['/live/news-1e2.ts', 404],
  ['/live/news--107.ts', 404],
  ['/live/news-9999999999999999999.ts', 404],
  ['/live/sport.m3u8', 404],
  ['/live/', 404],
  ['/other/news.m3u8', 404],
  ['/', 404],
  ['', 404],
  ['/live/../live/news.m3u8', 404],
];
for (const [url, status] of statuses) {
  test(`GET ${url || '(nothing)'} is answered ${status}`, () => assert.equal(whole(url).status, status));
}

test('a channel and one whose name begins alike have their own segment names', () => {
  assert.match(whole('/live/news.m3u8').body, /^news-109\.ts$/m);
  assert.match(whole('/live/news-hd.m3u8').body, /^news-hd-109\.ts$/m);
});

test('the .flv URL asks for the endless stream', () => assert.equal(ask('/live/news.flv?x=1').kind, 'flv'));

test('before the first segment there is no playlist', () => {
  const reply = answer({ method: 'GET', url: '/live/news.m3u8' }, content, 1);
  assert.equal(reply.kind === 'whole' && reply.status, 404);
});

test('a playlist is not to be cached, a segment has a validator', () => {
  assert.equal(whole('/live/news.m3u8').headers['Cache-Control'], 'no-cache');
  const { headers } = whole('/live/news-109.ts');
  const again = whole('/live/news-109.ts', { ifNoneMatch: headers['ETag'] });
  assert.deepEqual([again.status, again.body], [304, '']);
  assert.equal(whole('/live/news-109.ts', { ifNoneMatch: '"108"' }).status, 200);
});

const ranges: [string, number, string, string | undefined][] = [
  ['bytes=0-2', 206, 'seg', 'bytes 0-2/9'],
  ['bytes=8-', 206, '9', 'bytes 8-8/9'],
  ['bytes=-1', 206, '9', 'bytes 8-8/9'],
  ['bytes=-100', 206, 'segment 9', 'bytes 0-8/9'],
  ['bytes=2-100', 206, 'gment 9', 'bytes 2-8/9'],
  ['bytes=9-', 416, '', 'bytes */9'],
  ['bytes=-0', 416, '', 'bytes */9'],
  ['bytes=3-1', 200, 'segment 9', undefined],
  ['bytes=-', 200, 'segment 9', undefined],
  ['bytes=0-1,3-4', 200, 'segment 9', undefined],
  ['lines=0-1', 200, 'segment 9', undefined],
];
for (const [range, status, body, contentRange] of ranges) {
  test(`Range: ${range} of a segment is answered ${status}`, () => {
    const reply = whole('/live/news-109.ts', { range });
    assert.deepEqual([reply.status, reply.body, reply.headers['Content-Range']], [status, body, contentRange]);
  });
}

test('other methods than GET, HEAD and OPTIONS are refused', () => {
  assert.equal(whole('/live/news.m3u8', { method: 'HEAD' }).status, 200);
  assert.equal(whole('/live/news.m3u8', { method: 'OPTIONS' }).status, 204);
  assert.equal(whole('/live/news.m3u8', { method: 'POST' }).status, 405);
});
