import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalRoute, parseRoute } from '../../src/http/route.js';
import { anyText } from '../support/any-text.js';
import { runs } from '../support/runs.js';

const known = new Set(['news', 'news-12', 'a.b', 'späti', 'x_1', 'with space']);
const route = (target: string) => parseRoute(target, (name) => known.has(name));

const good: [target: string, channel: string, kind: string, suffix: string, query?: string][] = [
  ['/live/news.flv', 'news', 'flv', '.flv'],
  ['/live/news_720p.flv', 'news', 'flv', '_720p.flv'],
  ['/live/news/hd.FLV', 'news', 'flv', '/hd.FLV'],
  ['/live/news_720p.%66%6Cv', 'news', 'flv', '_720p.%66%6Cv'],
  ['/live/news-flv', 'news', 'object', '-flv'],
  ['/live/news.m3u8', 'news', 'playlist', '.m3u8'],
  ['/live/news.M3U8', 'news', 'playlist', '.M3U8'],
  ['/live/news.flv?token=a%2Fb&x', 'news', 'flv', '.flv', '?token=a%2Fb&x'],
  ['/live/news/7.ts', 'news', 'object', '/7.ts'],
  ['/live/news/index.m3u8', 'news', 'playlist', '/index.m3u8'],
  ['/live/news/', 'news', 'object', '/'],
  ['/live/news-7.ts', 'news', 'object', '-7.ts'],
  ['/live/news-12.ts', 'news-12', 'object', '.ts'],
  ['/live/news-123.ts', 'news', 'object', '-123.ts'],
  ['/live/news_7.m4s', 'news', 'object', '_7.m4s'],
  ['/live/news.7.ts', 'news', 'object', '.7.ts'],
  ['/live/a.b.flv', 'a.b', 'flv', '.flv'],
  ['/live/x_1.flv', 'x_1', 'flv', '.flv'],
  ['/live/sp%C3%A4ti.flv', 'späti', 'flv', '.flv'],
  ['/live/with%20space/1.ts', 'with space', 'object', '/1.ts'],
  ['http://edge:8080/live/news.flv', 'news', 'flv', '.flv'],
  ['HTTP://edge/live/news.flv?a=1', 'news', 'flv', '.flv', '?a=1'],
];

for (const [target, channel, kind, suffix, query = ''] of good) {
  test(`${target} is ${kind} of ${channel}`, () => {
    const parsed = route(target);
    assert.ok(typeof parsed === 'object', String(parsed));
    assert.deepEqual(
      { channel: parsed.channel, kind: parsed.kind, suffix: parsed.suffix, query: parsed.query },
      { channel, kind, suffix, query },
    );
    assert.ok(parsed.path.endsWith(suffix));
  });
}

const bad: [target: string, code: string][] = [
  ['/live/other.flv', 'unknown_channel'],
  ['/live/newsroom.flv', 'unknown_channel'],
  ['/live/news', 'unknown_channel'],
  ['/live//news.flv', 'unknown_channel'],
  ['/live/%FF.flv', 'unknown_channel'],
  ['/live', 'not_found'],
  ['/', 'not_found'],
  ['//', 'not_found'],
  ['/live/', 'not_found'],
  ['', 'bad_request'],
  ['*', 'bad_request'],
  ['edge:443', 'bad_request'],
  ['ftp://edge/live/news.flv', 'bad_request'],
  ['/live/../admin/news.flv', 'bad_request'],
  ['/live/news/../../x', 'bad_request'],
  ['/live/news/%2e%2e/x', 'bad_request'],
  ['/live/news/.%2E', 'bad_request'],
  ['/live/news../secret/x.m3u8', 'bad_request'],
  ['/live/news.%2e/secret/x.ts', 'bad_request'],
  ['/live/news./x.ts', 'bad_request'],
  ['/live/news%2f7.ts', 'bad_request'],
  ['/live/news\\7.ts', 'bad_request'],
  ['/live/news%5c7.ts', 'bad_request'],
  ['/live/news%00.flv', 'bad_request'],
  ['/live/news%zz.flv', 'bad_request'],
  ['/live/news.flv#x', 'bad_request'],
  ['/live/news.flv?a#x', 'bad_request'],
  ['/live/news .flv', 'bad_request'],
  ['/live/news.flv?a=\r\nX: y', 'bad_request'],
  ['/live/späti.flv', 'bad_request'],
];

for (const [target, code] of bad) {
  test(`${JSON.stringify(target)} is ${code}`, () => assert.equal(route(target), code));
}

test('no target makes it throw, and whatever is routed stays under its app', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        anyText(),
        fc.string().map((text) => `/live/${text}`),
      ),
      (target) => {
        const parsed = route(target);
        if (typeof parsed === 'string') return;
        assert.ok(parsed.path.startsWith('/'));
        assert.ok(!/\/\.\.?(\/|$)/.test(parsed.path));
      },
    ),
    { numRuns: runs(150, 5000) },
  );
});

test('a path has one spelling, in which it is kept and passed on', () => {
  const parsed = route('/live/%6eews/%7Euser/a%2db%c3%a4%21.ts?t=%41');
  assert.ok(typeof parsed === 'object');
  const { path, suffix, query } = canonicalRoute(parsed);
  assert.deepEqual(
    { path, suffix, query },
    { path: '/live/news/~user/a-b%C3%A4%21.ts', suffix: '/~user/a-b%C3%A4%21.ts', query: '?t=%41' },
  );
});
