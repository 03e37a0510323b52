import assert from 'node:assert/strict';
import { test } from 'node:test';
import { edgeUrl, registryName, urlOf } from '../../src/commands/where.js';
import { loadConfig } from '../../src/config.js';

test('a URL has brackets around an IPv6 address', () => {
  assert.equal(urlOf({ address: '::', port: 8080 }), 'http://[::]:8080');
  assert.equal(urlOf({ address: '0.0.0.0', port: 80 }), 'http://0.0.0.0:80');
});

const names: [sets: string[], name: string][] = [
  [[], 'zookeeper 127.0.0.1:2181/channels'],
  [['registry.zookeeper.servers=a:1,b:2/live/'], 'zookeeper a:1,b:2/live/channels'],
  [['registry.kind=embedded'], 'embedded'],
];
for (const [sets, name] of names) {
  test(`the registry of ${sets.join(' ') || 'the defaults'} is called ${name}`, () => {
    assert.equal(registryName(loadConfig({ sets }).registry), name);
  });
}

const urls: [sets: string[], url: string][] = [
  [[], 'http://127.0.0.1:8081'],
  [['admin.listen=:9000'], 'http://127.0.0.1:9000'],
  [['admin.listen=0.0.0.0:9000'], 'http://127.0.0.1:9000'],
  [['admin.listen=10.0.0.5:9000'], 'http://10.0.0.5:9000'],
  [['admin.listen=[fd00::5]:9000'], 'http://[fd00::5]:9000'],
  [['registry.embedded.url=https://edge.example/weir/'], 'https://edge.example/weir'],
];
for (const [sets, url] of urls) {
  test(`the edge of ${sets.join(' ') || 'the defaults'} is asked at ${url}`, () => {
    assert.equal(edgeUrl(loadConfig({ sets })), url);
  });
}
