// What a file of endpoints may say, and how it is told what is wrong.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseEndpointsFile } from '../../src/registry/endpoints-file.js';

const limits = { endpointsPerChannel: 3 };
const parse = (text: string) => parseEndpointsFile(text, limits);

test('endpoints stand in a list, alone, or as a plain address, in YAML or JSON', () => {
  const yaml = `
channels:
  news:
    - service_address: http://10.0.0.1:8080/live
      load: 0.2
      bitrate: 1200
      packet_loss_rate: 0.01
      status: draining
      weight: 0.5
      zone: north
      priority: 1
      version: "1.2"
      properties: {codec: h264}
    - 10.0.0.2:8080
    - {service_address: 10.0.0.3:8080, path: "/a/{channel}{rest}"}
  sport: http://10.0.0.4
`;
  const endpoints = parse(yaml);
  assert.deepEqual(
    endpoints.map(({ channel, address }) => `${channel} ${address}`),
    [
      'news http://10.0.0.1:8080/live',
      'news 10.0.0.2:8080',
      'news http://10.0.0.3:8080/a/{channel}{rest}',
      'sport http://10.0.0.4',
    ],
  );
  const [first, second] = endpoints;
  assert.deepEqual(first, {
    id: 'file/news/http://10.0.0.1:8080/live',
    channel: 'news',
    address: 'http://10.0.0.1:8080/live',
    load: 0.2,
    bitrate: 1200,
    packetLoss: 0.01,
    draining: true,
    weight: 0.5,
    zone: 'north',
    priority: 1,
    release: '1.2',
    properties: { codec: 'h264' },
  });
  assert.equal(second?.load, undefined);
  assert.deepEqual(parse('{"channels":{"news":[{"service_address":"10.0.0.2:8080"}]}}'), [second]);
});

test('no channels are said so, and an endpoint that is off is none', () => {
  assert.deepEqual(parse('channels: {}'), []);
  assert.deepEqual(parse('channels: {news: [{service_address: "10.0.0.1:80", status: "off"}]}'), []);
});

describe('a file that is wrong in one place is refused whole, with the place', () => {
  const rows: [string, RegExp][] = [
    ['', /it is empty/],
    [' \n', /it is empty/],
    ['news: []', /unknown: news; expected only channels/],
    ['channels:', /expected `channels`/],
    ['channels: [a]', /expected `channels`/],
    ['- a', /expected `channels`/],
    ['channels:\n  news:\n    - 10.0.0.1:80\n    - service_addr: 1', /channels\.news\.1: service_address: expected/],
    ['channels: {news: nonsense}', /channels\.news: service_address: expected host:port/],
    ['channels: {news: [{service_address: "10.0.0.1:80", load: 20}]}', /channels\.news\.0: load: expected a fraction/],
    [
      'channels: {news: [{service_address: "10.0.0.1:80", weight: -1}]}',
      /channels\.news\.0: weight: expected a number/,
    ],
    ['channels: {news: [{service_address: "10.0.0.1:80", lod: 1}]}', /channels\.news\.0: .*lod/],
    ['channels: {news: ["10.0.0.1:80", "10.0.0.1:80"]}', /channels\.news\.1: 10\.0\.0\.1:80 stands twice/],
    ['channels: {news: ["a:1", "b:1", "c:1", "d:1"]}', /more endpoints than registry\.maxEndpointsPerChannel/],
    ['channels: {"a/b": []}', /a channel is one path segment/],
    ['channels: {news: [1, 2, 3], sport: [1, 2, 3]}', /and 1 more$/],
    ['channels: {news: [', /line 1/],
    ['{"channels":{"news":["10.0.0.1:80"', /line 1/],
    ['channels:\n  news: []\n  news: []', /unique/],
    ['channels: {__proto__: ["10.0.0.1:80"]}\nx: 1', /unknown: x/],
  ];
  for (const [text, expected] of rows) {
    test(JSON.stringify(text), () => {
      assert.throws(() => parse(text), expected);
    });
  }
});

test('whatever stands in a file, it is read or refused with an Error', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json().map((json) => `{"channels":${json}}`),
      ),
      (text) => {
        try {
          for (const { channel, address } of parse(text)) assert.ok(channel !== '' && address !== '');
        } catch (error) {
          assert.ok(error instanceof Error && error.message !== '');
        }
      },
    ),
    { numRuns: 300 },
  );
});
