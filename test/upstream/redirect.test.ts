import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServerOrigin } from '../../src/model.js';
import { redirectTarget } from '../../src/upstream/redirect.js';

const from = (server: string, path = '/live/news.m3u8?a=1') => ({ server: server as ServerOrigin, path });
const plain = from('http://10.0.0.1:8080');

const followed: [name: string, location: string, server: string, path: string][] = [
  ['another server', 'http://10.0.0.2/x?y=1#z', 'http://10.0.0.2:80', '/x?y=1'],
  ['a name', 'http://CDN.example:81', 'http://cdn.example:81', '/'],
  ['from http to https', 'https://cdn.example/x', 'https://cdn.example:443', '/x'],
  ['a path here', '/other', 'http://10.0.0.1:8080', '/other'],
  ['a relative path', 'next.m3u8', 'http://10.0.0.1:8080', '/live/next.m3u8'],
  ['a query here', '?session=7', 'http://10.0.0.1:8080', '/live/news.m3u8?session=7'],
  ['IPv6', 'http://[fd00::1]:81/x', 'http://[fd00::1]:81', '/x'],
  // It is an address in disguise: judged as what it is.
  ['an address as a number', 'http://2130706433/x', 'http://127.0.0.1:80', '/x'],
];
for (const [name, location, server, path] of followed) {
  test(`a redirect leads on: ${name}`, () => {
    assert.deepEqual(redirectTarget(location, plain), { server, path });
  });
}

test('a redirect to the same server keeps its name, however URLs would write it', () => {
  const odd = from('http://[0:0::1]:8080');
  assert.equal(redirectTarget('/x', odd).server, odd.server);
  assert.equal(redirectTarget('http://[::1]:8080/x', odd).server, odd.server);
});

const refused: [name: string, location: string | string[] | undefined, from?: string][] = [
  ['no Location', undefined],
  ['two of them', ['http://a/', 'http://b/']],
  ['no URL', 'http://['],
  ['a file', 'file:///etc/passwd'],
  ['data', 'data:text/plain,x'],
  ['from https to http', 'http://10.0.0.2/', 'https://10.0.0.1:443'],
  ['a user', 'http://user@10.0.0.2/'],
  ['a password', 'http://:secret@10.0.0.2/'],
  // The name under which another worker is known here.
  ['a worker', 'http://~worker-2:1/live/news.flv'],
  ['port 0', 'http://10.0.0.2:0/'],
];
for (const [name, location, server = plain.server] of refused) {
  test(`a redirect is not followed: ${name}`, () => {
    assert.throws(() => redirectTarget(location, from(server)), { code: 'upstream_redirect' });
  });
}
