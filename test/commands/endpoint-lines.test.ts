import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changeLine, jsonLine, table } from '../../src/commands/endpoint-lines.js';
import { endpointJson } from '../../src/endpoint-json.js';
import type { ChannelName, Endpoint, EndpointId, ServiceAddress } from '../../src/model.js';

function endpoint(channel: string, address: string, load?: number, packetLoss?: number, bitrate?: number): Endpoint {
  const id = `/channels/${channel}/e@1` as EndpointId;
  return {
    id,
    channel: channel as ChannelName,
    address: address as ServiceAddress,
    load,
    packetLoss,
    bitrate,
    version: 3,
  };
}

test('a table is sorted by channel and address and says what is unknown with a dash', () => {
  const lines = table([
    endpoint('sport', '10.0.0.1:8080', 0, 0, 1200),
    endpoint('news', '10.0.0.2:8080', 0.125, 0.0333),
    endpoint('news', '10.0.0.1:8080'),
  ]);
  assert.deepEqual(
    lines.map((line) => line.split(/ {2,}/)),
    [
      ['CHANNEL', 'ADDRESS', 'LOAD', 'LOSS', 'BITRATE', 'ENDPOINT'],
      ['news', '10.0.0.1:8080', '-', '-', '-', '/channels/news/e@1'],
      ['news', '10.0.0.2:8080', '12.5 %', '3.3 %', '-', '/channels/news/e@1'],
      ['sport', '10.0.0.1:8080', '0 %', '0 %', '1200 kbit/s', '/channels/sport/e@1'],
    ],
  );
});

test('a table of 150,000 endpoints is a table', () => {
  assert.equal(table(Array(150_000).fill(endpoint('news', '10.0.0.1:8080'))).length, 150_001);
});

test('a change is one line with its mark', () => {
  const news = endpoint('news', '10.0.0.1:8080', 0.5, undefined, 800);
  assert.equal(changeLine('added', news), '+ news  10.0.0.1:8080  load 50 %  loss -  800 kbit/s');
  assert.equal(changeLine('changed', news), '~ news  10.0.0.1:8080  load 50 %  loss -  800 kbit/s');
  assert.equal(changeLine('removed', news), '- news  10.0.0.1:8080');
});

test('a channel name cannot move the cursor of a terminal', () => {
  const lines = [...table([endpoint('a\u001b[2Jb\u202e', 'h:1')]), changeLine('added', endpoint('\u009b1m', 'h:1'))];
  for (const line of lines) assert.doesNotMatch(line, /\p{C}/u);
});

test("JSON has the API's names, unknown values as null, and the change only where there is one", () => {
  const news = endpoint('news', '10.0.0.1:8080', 0.5);
  const inApi = JSON.parse(JSON.stringify(endpointJson(news))) as object;
  const unknown = { packet_loss_rate: null, bitrate: null };
  assert.deepEqual(JSON.parse(jsonLine(news)), { channel: 'news', ...inApi, ...unknown });
  assert.equal((JSON.parse(jsonLine(news, 'removed')) as { change: string }).change, 'removed');
});

test('what endpoints say beside their values is a column where one says something', () => {
  const plain = endpoint('news', '10.0.0.1:8080');
  const said = { ...endpoint('news', '10.0.0.2:8080'), draining: true, weight: 0.1, zone: 'a\u001b' } as const;
  const [titles, first, second] = table([plain, said]);
  assert.match(titles ?? '', /ENDPOINT +SAYS$/);
  assert.ok(!first?.includes('draining'));
  assert.match(second ?? '', / draining {2}weight 0\.1 {2}zone a\\u\{1b\}$/);
  assert.match(changeLine('changed', said), /draining {2}weight 0\.1/);
  const { draining, weight, priority } = JSON.parse(jsonLine(said)) as Record<string, unknown>;
  assert.deepEqual({ draining, weight, priority }, { draining: true, weight: 0.1, priority: undefined });
});
