import assert from 'node:assert/strict';
import { test } from 'node:test';
import { awaitedRegistry, registryName, urlOf } from '../../src/commands/where.js';
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

test('who waits for the registry is told where it is looked for, and which flag says so', () => {
  const zookeeper = awaitedRegistry(loadConfig({}));
  assert.equal(zookeeper.name, 'zookeeper 127.0.0.1:2181/channels');
  assert.match(zookeeper.advice, /--zookeeper/);
  const embedded = awaitedRegistry(loadConfig({ sets: ['registry.kind=embedded'] }));
  assert.equal(embedded.name, 'the edge at http://127.0.0.1:8081');
  assert.match(embedded.advice, /--admin/);
});
