// Which endpoints a user means.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDrainTarget, pathOf } from '../../src/commands/drain-target.js';
import type { ChannelName, Endpoint, EndpointId, ServiceAddress } from '../../src/model.js';

const paths: [text: string, path: string][] = [
  ['/channels/news/e-1@1f', '/channels/news/e-1'],
  ['/channels/news/e-1', '/channels/news/e-1'],
  ['/channels/news/e-1#10.0.0.1:80@1f', '/channels/news/e-1'],
  ['/channels/a#b/e-1@1f', '/channels/a#b/e-1'],
  ['/channels/news/a@0b3c4d5e-1', '/channels/news/a'],
  ['news/e-1', '/live/news/e-1'],
  ['http://127.0.0.1:8081/api/v1/channels/%C3%B6l/endpoints/e-1', '/live/öl/e-1'],
];
for (const [text, path] of paths) {
  test(`${text} is the node ${path}`, () => {
    assert.deepEqual(
      parseDrainTarget(text, (channel) => `/live/${channel}`),
      { kind: 'path', path },
    );
  });
}

const endpoints = [
  ['/channels/news/e-1@1', '10.0.0.1:80'],
  ['/channels/news/e-2@2', 'http://10.0.0.1/a'],
  ['/channels/sport/e-1@3', 'https://10.0.0.1:80'],
  ['/channels/sport/e-10@4', '10.0.0.2:80'],
].map(([id, address]) => ({
  id: id as EndpointId,
  address: address as ServiceAddress,
  channel: id?.split('/')[2] as ChannelName,
}));

const searches: [text: string, found: string[], single: boolean][] = [
  ['10.0.0.1:80', ['/channels/news/e-1', '/channels/news/e-2', '/channels/sport/e-1'], false],
  ['http://10.0.0.1:80', ['/channels/news/e-1', '/channels/news/e-2'], false],
  ['https://10.0.0.1:80/', ['/channels/sport/e-1'], false],
  ['http://10.0.0.1/a', ['/channels/news/e-2'], false],
  ['e-1', ['/channels/news/e-1', '/channels/sport/e-1'], true],
  ['e-10@4', ['/channels/sport/e-10'], true],
  ['1', [], true],
  // In whatever tree the channel is.
  ['sport/e-1', ['/channels/sport/e-1'], true],
];
for (const [text, found, single] of searches) {
  test(`${text} means ${found.join(', ') || 'nothing'}`, () => {
    const target = parseDrainTarget(text, undefined);
    assert.ok(target.kind === 'search');
    const matching = endpoints.filter((endpoint) => target.matches(endpoint as Endpoint));
    assert.deepEqual(
      matching.map(({ id }) => pathOf(id)),
      found,
    );
    assert.equal(target.single, single);
  });
}
