import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseServiceAddress } from '../../../src/net-address.js';
import { encodeChannelInfo } from '../../../src/registry/formats/channel-info.js';
import { decode, maxDataBytes } from '../../../src/registry/formats/decode.js';
import type { Decoded } from '../../../src/registry/formats/format.js';
import { runs } from '../../support/runs.js';

type Level = 'channel' | 'endpoint';

const read = (data: string | Uint8Array, level: Level = 'endpoint', name = 'origin0000000003') =>
  decode({ name, level, data: typeof data === 'string' ? Buffer.from(data) : data });

/** The outcome in one line, for tables. */
function brief(decoded: Decoded): string {
  if (decoded.kind === 'nothing') return 'nothing';
  if (decoded.kind === 'skipped') return `skipped ${decoded.reason}`;
  if (decoded.kind === 'weights') return `weights ${JSON.stringify([...decoded.bySelector])}`;
  const first = decoded.kind === 'endpoints' ? decoded.registrations[0] : decoded;
  const { load, bitrate, packetLoss, unknown } = first.values;
  const faults = unknown.map(({ field, reason }) => `${field}:${reason}`).join(',');
  const values = [load, bitrate, packetLoss].map((value) => value ?? '?').join('/');
  return `${'address' in first ? first.address : 'defaults'} ${values} ${faults}`.trim();
}

function holds(table: readonly (readonly [string, string])[], level?: Level, name?: string): void {
  for (const [data, expected] of table) assert.equal(brief(read(data, level, name)), expected, data);
}

test('ChannelInfo: an address and what is known of it', () => {
  holds([
    [
      '{"service_address":"http://10.0.0.1:8080/live-stream","load":0.75,"bitrate":1200,"packet_loss_rate":0.02}',
      'http://10.0.0.1:8080/live-stream 0.75/1200/0.02',
    ],
    ['{"service_address":"10.0.0.1:80"}', '10.0.0.1:80 ?/?/?'],
    ['{"service_address":"10.0.0.1:80","load":0,"bitrate":0,"packet_loss_rate":0}', '10.0.0.1:80 0/0/0'],
    ['{"service_address":"10.0.0.1:80","load":1,"packet_loss_rate":1}', '10.0.0.1:80 1/?/1'],
    ['{"service_address":"10.0.0.1:80","load":-0.0}', '10.0.0.1:80 0/?/?'],
    ['{"service_address":"10.0.0.1:80","load":null}', '10.0.0.1:80 ?/?/?'],
    ['\n {"service_address":"10.0.0.1:80","more":{"a":[1]}}\r\n', '10.0.0.1:80 ?/?/?'],
  ]);
});

test('ChannelInfo: a value that means nothing is unknown with a reason, and the endpoint stays', () => {
  holds([
    ['{"service_address":"o:80","load":"0.5"}', 'o:80 ?/?/? load:not_a_number'],
    ['{"service_address":"o:80","load":-1}', 'o:80 ?/?/? load:negative'],
    ['{"service_address":"o:80","load":75}', 'o:80 ?/?/? load:above_one'],
    ['{"service_address":"o:80","load":1.0001}', 'o:80 ?/?/? load:above_one'],
    ['{"service_address":"o:80","load":1e999}', 'o:80 ?/?/? load:not_a_number'],
    ['{"service_address":"o:80","bitrate":-1}', 'o:80 ?/?/? bitrate:negative'],
    ['{"service_address":"o:80","bitrate":1e308}', 'o:80 ?/?/? bitrate:too_large'],
    ['{"service_address":"o:80","bitrate":[1]}', 'o:80 ?/?/? bitrate:not_a_number'],
    ['{"service_address":"o:80","packet_loss_rate":true}', 'o:80 ?/?/? packet_loss_rate:not_a_number'],
    [
      '{"service_address":"o:80","load":{},"bitrate":"x","packet_loss_rate":2}',
      'o:80 ?/?/? load:not_a_number,bitrate:not_a_number,packet_loss_rate:above_one',
    ],
  ]);
});

test('ChannelInfo: a bad or missing address is skipped below a channel and means defaults in the channel itself', () => {
  const table = [
    ['{"service_address":"file:///etc/passwd"}', 'skipped bad_address', 'skipped bad_address'],
    ['{"service_address":"o:0"}', 'skipped bad_address', 'skipped bad_address'],
    ['{"service_address":7}', 'skipped bad_address', 'skipped bad_address'],
    ['{"service_address":{"a":1}}', 'skipped bad_address', 'skipped bad_address'],
    ['{"service_address":""}', 'skipped no_address', 'defaults ?/?/?'],
    ['{"service_address":null,"load":0.5}', 'skipped no_address', 'defaults 0.5/?/?'],
    ['{"bitrate":2500}', 'skipped no_address', 'defaults ?/2500/?'],
    ['{"load":-1}', 'skipped no_address', 'defaults ?/?/? load:negative'],
    ['{"something":"else"}', 'skipped unknown_format', 'skipped unknown_format'],
    ['{"__proto__":{"service_address":"o:80"}}', 'skipped unknown_format', 'skipped unknown_format'],
  ] as const;
  holds(table.map(([data, endpoint]) => [data, endpoint]));
  holds(
    table.map(([data, , channel]) => [data, channel]),
    'channel',
  );
});

test('ChannelInfo: what weir writes it reads', () => {
  const values = { load: 0.25, bitrate: 1200, packetLoss: undefined };
  assert.equal(brief(read(encodeChannelInfo('http://o:80/{channel}', values))), 'http://o:80/{channel} 0.25/1200/?');
});

test('metadata: ip and port apart', () => {
  holds([
    ['{"ip":"10.0.0.1","port":"8080","id":"a"}', '10.0.0.1:8080 ?/?/?'],
    ['{"ip":"10.0.0.1","port":8080}', '10.0.0.1:8080 ?/?/?'],
    ['{"ip":"2001:db8::1","port":8080}', '[2001:db8::1]:8080 ?/?/?'],
    ['{"ip":"origin.example","port":80,"load":0.5}', 'origin.example:80 0.5/?/?'],
    ['{"ip":"10.0.0.1","port":0}', 'skipped bad_address'],
    ['{"ip":"10.0.0.1","port":65536}', 'skipped bad_address'],
    ['{"ip":"10.0.0.1","port":-80}', 'skipped bad_address'],
    ['{"ip":"10.0.0.1","port":80.5}', 'skipped bad_address'],
    ['{"ip":"10.0.0.1","port":" 80"}', 'skipped bad_address'],
    ['{"ip":"10.0.0.1","port":null}', 'skipped bad_address'],
    ['{"ip":"http://evil","port":80}', 'skipped bad_address'],
    ['{"ip":"10.0.0.1:22","port":80}', 'skipped bad_address'],
    ['{"ip":"a/b","port":80}', 'skipped bad_address'],
    ['{"ip":"127.1","port":80}', 'skipped bad_address'],
    ['{"ip":["10.0.0.1"],"port":80}', 'skipped bad_address'],
    ['{"ip":"","port":80}', 'skipped bad_address'],
    ['{"ip":"10.0.0.1"}', 'skipped unknown_format'],
  ]);
});

test('plain data: an address as text', () => {
  const table = [
    ['10.0.0.1:8080', '10.0.0.1:8080 ?/?/?'],
    ['http://10.0.0.1:8080/x', 'http://10.0.0.1:8080/x ?/?/?'],
    ['[2001:db8::1]:8080', '[2001:db8::1]:8080 ?/?/?'],
    ['  10.0.0.1:8080\n', '10.0.0.1:8080 ?/?/?'],
    ['10.0.0.1', 'skipped unknown_format'],
    ['hello world', 'skipped unknown_format'],
    ['file:///x', 'skipped unknown_format'],
    ['"10.0.0.1:8080"', 'skipped unknown_format'],
    ['[]', 'skipped unknown_format'],
    ['null', 'skipped unknown_format'],
  ] as const;
  holds(table);
});

test('per-method trees: the channel node itself holds the plain address', () => {
  holds([['127.0.0.1:6000', '127.0.0.1:6000 ?/?/?']], 'channel', 'Echo');
});

test('name only: a child named like an address, without data', () => {
  for (const name of ['10.0.0.1:8080', '[2001:db8::1]:8080', 'origin:80']) {
    assert.equal(brief(read('', 'endpoint', name)), `${name} ?/?/?`);
  }
  assert.equal(brief(read('', 'endpoint', 'origin0000000003')), 'skipped no_address');
  assert.equal(brief(read('', 'endpoint', '127.1:80')), 'skipped no_address');
  assert.equal(brief(read('x', 'endpoint', '10.0.0.1:8080')), 'skipped unknown_format');
  assert.equal(brief(read('', 'channel', '10.0.0.1:8080')), 'nothing');
});

test('a channel without data is a folder', () => {
  assert.equal(brief(read('', 'channel', 'news')), 'nothing');
  assert.equal(brief(read(' \n', 'channel', 'news')), 'nothing');
});

test('data that are no text, no JSON or too much are skipped with the reason', () => {
  assert.equal(brief(read(Buffer.from([0xff, 0xfe, 0x00]))), 'skipped not_utf8');
  assert.equal(brief(read('{"service_address":"o:80"')), 'skipped bad_json');
  assert.equal(brief(read('{service_address:1}')), 'skipped bad_json');
  assert.equal(brief(read(Buffer.alloc(maxDataBytes + 1, 0x20))), 'skipped too_large');
  assert.equal(brief(read(Buffer.alloc(1024 * 1024, 0x7b))), 'skipped too_large');
});

test('deep JSON neither overflows nor delays', () => {
  const half = maxDataBytes / 2 - 64;
  const deepArray = `{"service_address":"o:80","x":${'['.repeat(half)}${']'.repeat(half)}}`;
  const deepObject = `{"service_address":"o:80","x":${'{"a":'.repeat(9_000)}1${'}'.repeat(9_000)}}`;
  const started = performance.now();
  assert.equal(brief(read(deepArray)), 'o:80 ?/?/?');
  assert.equal(brief(read(deepObject)), 'o:80 ?/?/?');
  assert.equal(brief(read('{"a":'.repeat(10_000))), 'skipped bad_json');
  assert.ok(performance.now() - started < 2_000);
});

test('whatever the bytes, decoding gives a valid endpoint or a reason', () => {
  const key = fc.constantFrom(
    'service_address',
    'load',
    'bitrate',
    'packet_loss_rate',
    'ip',
    'port',
    'id',
    '__proto__',
  );
  const address = fc.constantFrom('10.0.0.1:80', 'http://o/{channel}', 'http://u:p@o/', '127.1', '', '[::1]:1');
  const json = fc.dictionary(key, fc.oneof(fc.jsonValue(), fc.double(), address)).map((value) => JSON.stringify(value));
  const data = fc.oneof(
    fc.uint8Array({ maxLength: 512 }),
    fc.string().map((text) => Buffer.from(text)),
    json.map((text) => Buffer.from(text)),
    json.map((text) => Buffer.from(text.slice(0, -1))),
  );
  fc.assert(
    fc.property(data, fc.constantFrom<Level>('channel', 'endpoint'), fc.string(), (bytes, level, name) => {
      const decoded = decode({ name, level, data: bytes });
      if (decoded.kind === 'nothing') return assert.equal(level, 'channel');
      if (decoded.kind === 'skipped' || decoded.kind === 'weights') return;
      const first = decoded.kind === 'endpoints' ? decoded.registrations[0] : decoded;
      if ('address' in first) assert.equal(parseServiceAddress(first.address), first.address);
      const { load, bitrate, packetLoss } = first.values;
      for (const share of [load, packetLoss]) assert.ok(share === undefined || (share >= 0 && share <= 1));
      assert.ok(bitrate === undefined || (bitrate >= 0 && Number.isFinite(bitrate)));
    }),
    { numRuns: runs(500) },
  );
});
