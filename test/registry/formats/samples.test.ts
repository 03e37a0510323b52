import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatNames } from '../../../src/config-schema/format-names.js';
import { packageRoot } from '../../../src/package.js';
import { read } from '../../../src/registry/formats/decode.js';
import type { RegisteredEndpoint, RegisteredNode } from '../../../src/registry/formats/format.js';
import { type Sample, samples, textOf } from '../../support/registrations.js';

const nodeOf = (sample: Sample): RegisteredNode => ({
  name: sample.name ?? 'news',
  level: sample.name === undefined ? 'channel' : 'endpoint',
  data: Buffer.from(textOf(sample)),
});

function said({ address, values: { load, bitrate, packetLoss }, traits }: RegisteredEndpoint): object {
  const values = Object.entries({ load, bitrate, packetLoss }).filter(([, value]) => value !== undefined);
  return { address, ...Object.fromEntries(values), ...traits };
}

test('every format reads what others write, and no other format takes it first', () => {
  for (const sample of samples) {
    const { decoded, format } = read(nodeOf(sample));
    assert.equal(decoded.kind, 'endpoints', `${sample.what}: ${JSON.stringify(decoded)}`);
    const eligible = decoded.registrations.filter((registration) => registration.eligible);
    assert.deepEqual(eligible.map(said), sample.endpoints, sample.what);
    assert.equal(decoded.registrations.length - eligible.length, sample.ineligible ?? 0, sample.what);
    assert.deepEqual(
      decoded.registrations.flatMap(({ values }) => values.unknown),
      [],
      sample.what,
    );
    assert.equal(format, sample.format, sample.what);
  }
  assert.deepEqual(new Set(samples.map(({ format }) => format)), new Set(formatNames));
});

test('a tree that allows only a format reads that one, and none when it allows all others', () => {
  for (const sample of samples) {
    assert.equal(read(nodeOf(sample), [sample.format]).format, sample.format, sample.what);
    const others = formatNames.filter((name) => name !== sample.format);
    // An instance of Spring Cloud is one of Curator's.
    const also = sample.format === 'spring-cloud' ? 'curator' : undefined;
    assert.equal(read(nodeOf(sample), others).format, also, sample.what);
  }
});

const at = (name: string, data: unknown, level: RegisteredNode['level'] = 'endpoint') =>
  read({ name, level, data: Buffer.from(typeof data === 'string' ? data : JSON.stringify(data)) }).decoded;

test('an address that does not hold is skipped with that reason, whatever the format', () => {
  const bad: readonly (readonly [name: string, data: unknown, level?: RegisteredNode['level']])[] = [
    ['a', { name: 'live', address: '10.0.0.1', port: 0 }],
    ['a', { name: 'live', address: 'http://evil', port: 80 }],
    ['a', { name: 'live', address: null, port: 80 }],
    ['a', { address: '127.1', port: 80, payload: { metadata: {} } }],
    ['member_1', { serviceEndpoint: { host: 'a/b', port: 80 } }],
    ['member_1', { serviceEndpoint: 'h:80' }],
    ['i_1', { host: 'a b', port: 80 }],
    ['i_1', { host: 'a', port: [80] }],
    ['news', [{ host: 'http://evil', port: 80 }, { host: 'a/b:80' }], 'channel'],
    ['dubbo%3A%2F%2F', ''],
    ['dubbo%3A%2F%2Fu%40h%3A80', ''],
    ['dubbo%3A%2F%2Fh%3A99999%2Fx', ''],
    ['dubbo%3A%2F%2Fh%3A80%E0%A4%A', ''],
  ];
  for (const [name, data, level] of bad) {
    assert.deepEqual(
      at(name, data, level),
      { kind: 'skipped', reason: 'bad_address' },
      `${name} ${JSON.stringify(data)}`,
    );
  }
});

test('what only looks like a format is none', () => {
  const none: readonly (readonly [name: string, data: unknown])[] = [
    ['a', { name: 'live', address: '10.0.0.1' }],
    ['a', { host: '10.0.0.1' }],
    ['a', { vector: [] }],
    ['a', [{ host: '10.0.0.1:80' }]],
    ['a', [1, 'a', null]],
  ];
  for (const [name, data] of none) {
    assert.deepEqual(at(name, data), { kind: 'skipped', reason: 'unknown_format' }, JSON.stringify(data));
  }
  for (const name of ['base64_4_e30_0000000001', 'base64_99999_x', 'base64_3_!!!_1', 'base64_', 'dubbo:x']) {
    assert.deepEqual(at(name, ''), { kind: 'skipped', reason: 'no_address' }, name);
  }
  assert.deepEqual(at('news', [], 'channel'), { kind: 'nothing' });
});

test('a list has 256 endpoints at most, and what of it is no endpoint is told', () => {
  const nodes = Array.from({ length: 1_000 }, (_, i) => ({
    host: i === 0 ? '' : `10.0.${i >> 8}.${i & 255}`,
    port: 80,
  }));
  const decoded = at('news', nodes, 'channel');
  assert.equal(decoded.kind, 'endpoints');
  assert.equal(decoded.registrations.length, 255);
  assert.deepEqual(decoded.registrations[0].values.unknown, [
    { field: 'endpoints', reason: 'too_many' },
    { field: 'endpoints', reason: 'malformed' },
  ]);
});

test('a vector gives weights by shard, member and address, and what it says twice multiplies', () => {
  const vector = [
    { select: 'shard=3', weight: 2, priority: 1 },
    { select: 'shard=3', weight: 1.5 },
    { select: 'inet=10.0.0.3:80', weight: 0 },
    { select: 'member=1', weight: 10_000 },
    { select: 'member=1', weight: 10_000 },
    { select: 'shard=4', weight: -1 },
    { select: 'shard=5', weight: 1e9 },
    { select: 7, weight: 1 },
    'x',
  ];
  assert.deepEqual(at('vector_0000000002', { vector }), {
    kind: 'weights',
    bySelector: new Map([
      ['shard=3', 3],
      ['inet=10.0.0.3:80', 0],
      ['member=1', 10_000],
    ]),
    unknown: [
      { field: 'weight', reason: 'negative' },
      { field: 'weight', reason: 'too_large' },
    ],
  });
});

test('every sample of the documentation is read by the format that it stands for', () => {
  const page = readFileSync(join(packageRoot, 'docs/registry-formats.md'), 'utf8');
  const found = page.split(/^## /m).flatMap((section) => {
    const format = formatNames.find((name) => section.startsWith(`${name}\n`));
    const sample = /^```(json)?\n([\s\S]*?)^```$/m.exec(section);
    return format === undefined || sample === null
      ? []
      : [{ format, isJson: sample[1] === 'json', text: sample[2] ?? '' }];
  });
  for (const { format, isJson, text } of found) {
    const node = isJson ? { name: 'a', data: Buffer.from(text) } : { name: text.trim(), data: Buffer.from('') };
    const { decoded, format: by } = read({ ...node, level: format === 'apisix' ? 'channel' : 'endpoint' });
    assert.deepEqual([decoded.kind, by], ['endpoints', format]);
  }
  assert.equal(found.length, formatNames.length - 2, 'plain and name are one section without a block');
});
