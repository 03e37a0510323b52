import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '../../src/config.js';
import { edgeUrl, listenerUrl } from '../../src/registrar/edge-url.js';

const urls: [sets: string[], url: string][] = [
  [[], 'http://127.0.0.1:8081'],
  [['admin.listen=:9000'], 'http://127.0.0.1:9000'],
  [['admin.listen=0.0.0.0:9000'], 'http://127.0.0.1:9000'],
  [['admin.listen=[::]:9000'], 'http://127.0.0.1:9000'],
  [['admin.listen=10.0.0.5:9000'], 'http://10.0.0.5:9000'],
  [['admin.listen=[fd00::5]:9000'], 'http://[fd00::5]:9000'],
  [['registry.embedded.url=https://edge.example/weir/'], 'https://edge.example/weir'],
];
for (const [sets, url] of urls) {
  test(`the edge of ${sets.join(' ') || 'the defaults'} is asked at ${url}`, () => {
    assert.equal(edgeUrl(loadConfig({ sets })), url);
  });
}

test('a URL is no address to listen on, and an address is', () => {
  assert.equal(listenerUrl('127.0.0.1:8081'), 'http://127.0.0.1:8081');
  assert.equal(listenerUrl('http://127.0.0.1:8081'), undefined);
});
