import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseServiceAddress } from '../../src/net-address.js';
import { upstreamTarget } from '../../src/upstream/target.js';

const flv = { channel: 'news', path: '/live/news.flv', suffix: '.flv', query: '' };
const segment = { channel: 'news', path: '/live/news/7.ts', suffix: '/7.ts', query: '?t=1' };
const beside = { channel: 'sp ä', path: '/live/sp%20%C3%A4-7.ts', suffix: '-7.ts', query: '' };

const cases: [address: string, request: typeof flv, server: string, path: string][] = [
  ['10.0.0.1:8000', flv, 'http://10.0.0.1:8000', '/live/news.flv'],
  ['http://o:8000', segment, 'http://o:8000', '/live/news/7.ts?t=1'],
  ['http://o:8000/', segment, 'http://o:8000', '/live/news/7.ts?t=1'],
  ['http://o', flv, 'http://o:80', '/live/news.flv'],
  ['https://O.example', flv, 'https://o.example:443', '/live/news.flv'],
  ['[2001:db8::1]:8080', flv, 'http://[2001:db8::1]:8080', '/live/news.flv'],
  ['http://o:8000/a/b', flv, 'http://o:8000', '/a/b.flv'],
  ['http://o:8000/a/b', segment, 'http://o:8000', '/a/b/7.ts?t=1'],
  ['http://o:8000/a/b/', segment, 'http://o:8000', '/a/b/7.ts?t=1'],
  ['http://o:8000/a/b', beside, 'http://o:8000', '/a/b-7.ts'],
  ['http://o:1/x/{channel}{rest}', segment, 'http://o:1', '/x/news/7.ts?t=1'],
  ['http://o:1/{channel}/index{rest}', beside, 'http://o:1', '/sp%20%C3%A4/index-7.ts'],
  ['http://o:1/live?app=live&stream={channel}', segment, 'http://o:1', '/live?app=live&stream=news&t=1'],
  ['http://o:1{rest}', segment, 'http://o:1{rest}', ''],
  [
    'http://o:8000/x/{channel}/y{rest}',
    { channel: "n$'", path: "/live/n$'/$&.ts", suffix: "/$'$&$$.ts", query: '' },
    'http://o:8000',
    "/x/n%24'/y/$'$&$$.ts",
  ],
];

for (const [address, request, server, path] of cases) {
  const parsed = parseServiceAddress(address);
  if (path === '') test(`${address} is no address`, () => assert.equal(parsed, undefined));
  else {
    test(`${request.path} goes to ${server}${path} for ${address}`, () => {
      assert.ok(parsed);
      assert.deepEqual(upstreamTarget(parsed, request), { server, path });
    });
  }
}
