import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { prefixOf, signUrl } from '../../src/access/signed-url.js';
import { covers, type Grant, type Key, readToken, signToken } from '../../src/access/token.js';

const key: Key = { id: 'k1', secret: 'a secret of sixteen' };
const secretOf = (id: string) => (id === key.id ? key.secret : undefined);
const grant: Grant = { prefix: '/live/news', expiresAt: 1_800_000_000, client: '192.0.2.7', viewer: 'user-1' };

test('a token grants what was signed', () => {
  assert.deepEqual(readToken(signToken(grant, key), secretOf), grant);
  const plain = { ...grant, client: undefined, viewer: undefined };
  assert.deepEqual(readToken(signToken(plain, key), secretOf), plain);
});

test('a token is what its description says, so that a platform can make one by itself', () => {
  const b64 = (text: string) => Buffer.from(text).toString('base64url');
  const signed = `k1.1800000000.${b64('/live/news')}.${b64('192.0.2.7')}.${b64('user-1')}`;
  const signature = createHmac('sha256', key.secret).update(`weir1.${signed}`).digest('base64url');
  assert.equal(signToken(grant, key), `${signed}.${signature}`);
});

test('every change of a single character is noticed', () => {
  const token = signToken(grant, key);
  for (let at = 0; at < token.length - 1; at += 1) {
    for (const other of ['A', 'z', '0', '.', '']) {
      const changed = token.slice(0, at) + other + token.slice(at + 1);
      if (changed !== token) assert.equal(typeof readToken(changed, secretOf), 'string', changed);
    }
  }
});

test('a token of another key, a cut one and a long one are told apart', () => {
  const token = signToken(grant, key);
  assert.equal(
    readToken(token, () => undefined),
    'unknown_key',
  );
  assert.equal(
    readToken(token, () => 'another secret'),
    'forged',
  );
  for (const text of ['', 'x', token.slice(0, -1), `${token}.`, 'a.'.repeat(3_000)]) {
    assert.equal(readToken(text, secretOf), 'malformed', text.slice(0, 40));
  }
});

test('a prefix covers its channel, what is below it, or one path', () => {
  assert.ok(covers('/live/news', '/live/news-720p/1.ts', '/live/news'));
  assert.ok(covers('/live/', '/live/news.m3u8', '/live/news'));
  assert.ok(covers('/live/news/1.ts', '/live/news/1.ts', '/live/news'));
  // Another channel, whose name begins alike.
  assert.ok(!covers('/live/news', '/live/news-2.m3u8', '/live/news-2'));
  assert.ok(!covers('/live/new', '/live/news.m3u8', '/live/news'));
  assert.ok(!covers('/live', '/live/news.m3u8', '/live/news'));
  assert.ok(!covers('', '/live/news.m3u8', '/live/news'));
});

test('a URL is signed for the channel that it names', () => {
  assert.equal(prefixOf('/live/news.m3u8'), '/live/news');
  assert.equal(prefixOf('/live/news.FLV'), '/live/news');
  assert.equal(prefixOf('/live/news/1.ts'), '/live/news/1.ts');
  const terms = { ...grant, prefix: undefined };
  const token = signToken(grant, key);
  assert.equal(signUrl('/live/news.m3u8', 'w', terms, key), `/live/news.m3u8?w=${token}`);
  const url = 'https://edge.example.com:8443/live/n%65ws.flv';
  assert.equal(signUrl(`${url}?a=1&w=old&b#x`.split('#')[0] ?? '', 'w', terms, key), `${url}?a=1&b&w=${token}`);
  for (const bad of ['news', 'ftp://x/live/news', '/live/../news', 'https://edge']) {
    assert.equal(signUrl(bad, 'w', terms, key), undefined, bad);
  }
});
