import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatNames } from '../../../src/config-schema/format-names.js';
import { parseServiceAddress } from '../../../src/net-address.js';
import { decode, maxDataBytes } from '../../../src/registry/formats/decode.js';
import type { Decoded, RegisteredNode, UnknownValue } from '../../../src/registry/formats/format.js';
import { maxPriority, maxProperties, maxWeight } from '../../../src/registry/formats/traits.js';
import { samples, textOf } from '../../support/registrations.js';
import { runs } from '../../support/runs.js';

const between = (value: number | undefined, most: number) => value === undefined || (value >= 0 && value <= most);

function isBounded({ length }: { readonly length: number }, most: number): void {
  assert.ok(length <= most);
}

/** What holds whatever a znode's writer wrote. */
function holds(decoded: Decoded): void {
  const few = (unknown: readonly UnknownValue[]) => isBounded(unknown, 32);
  if (decoded.kind === 'weights') {
    few(decoded.unknown);
    isBounded([...decoded.bySelector], 1_000);
    for (const weight of decoded.bySelector.values()) assert.ok(between(weight, maxWeight));
  }
  if (decoded.kind !== 'endpoints' && decoded.kind !== 'defaults') return;
  const all = decoded.kind === 'endpoints' ? decoded.registrations : [decoded];
  isBounded(all, 256);
  for (const one of all) {
    if ('address' in one) assert.equal(parseServiceAddress(one.address), one.address);
    const { load, bitrate, packetLoss, unknown } = one.values;
    assert.ok(between(load, 1) && between(packetLoss, 1) && between(bitrate, 1e9));
    few(unknown);
    const { weight, priority, zone = '', release = '', properties = {} } = one.traits;
    assert.ok(between(weight, maxWeight) && between(priority, maxPriority));
    assert.ok(priority === undefined || Number.isInteger(priority));
    isBounded(zone, 64);
    isBounded(release, 64);
    const entries = Object.entries(properties);
    isBounded(entries, maxProperties.entries);
    for (const [name, value] of entries) {
      isBounded(name, maxProperties.nameChars);
      assert.equal(typeof value, 'string');
      isBounded(value, maxProperties.valueChars);
    }
    assert.equal(Object.getPrototypeOf(properties), Object.prototype);
  }
}

const hostile = fc.constantFrom<unknown>(
  ...[
    '',
    '127.1',
    'http://u:p@o/',
    '../..',
    'a\u0000b',
    '\ud800',
    '__proto__',
    '9'.repeat(400),
    'é'.repeat(300),
    '%',
    '{channel}',
  ],
  ...[null, true, -1, 0, 1e308, 0.5, 70_000, [], {}, [[]], { __proto__: null, constructor: 1 }],
);

/** The sample with one value, somewhere in it, replaced. */
function mutated(value: unknown, path: readonly number[], by: unknown): unknown {
  const [at, ...rest] = path;
  if (at === undefined || typeof value !== 'object' || value === null) return by;
  const keys = Object.keys(value);
  const key = keys[at % Math.max(keys.length, 1)];
  if (key === undefined) return by;
  const copy: Record<string, unknown> = Array.isArray(value) ? ([...value] as never) : { ...value };
  copy[key] = mutated(copy[key], rest, by);
  return copy;
}

const level = fc.constantFrom<RegisteredNode['level']>('channel', 'endpoint');
const sample = fc.constantFrom(...samples);
const path = fc.array(fc.nat(30), { maxLength: 4 });

test('a sample with anything at the place of any value is an endpoint within bounds, or skipped', () => {
  fc.assert(
    fc.property(sample, level, path, path, fc.oneof(hostile, fc.jsonValue()), (one, where, first, second, by) => {
      const json = mutated(mutated(typeof one.data === 'string' ? {} : one.data, first, by), second, by);
      holds(decode({ name: one.name ?? 'news', level: where, data: Buffer.from(JSON.stringify(json)) }));
    }),
    { numRuns: runs(1_000) },
  );
});

test('a sample with some of its bytes replaced is an endpoint within bounds, or skipped', () => {
  const edits = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 4 });
  fc.assert(
    fc.property(sample, level, edits, edits, (one, where, inData, inName) => {
      const data = Buffer.from(textOf(one));
      for (const [at, byte] of inData) if (data.length > 0) data[at % data.length] = byte;
      const name = Buffer.from(one.name ?? 'news');
      for (const [at, byte] of inName) name[at % name.length] = byte;
      holds(decode({ name: name.toString(), level: where, data }));
      holds(decode({ name: name.toString(), level: where, data }, [one.format]));
    }),
    { numRuns: runs(1_000) },
  );
});

test('each format alone reads anything without harm', () => {
  const text = fc.oneof(fc.string(), fc.json(), fc.constantFrom(...samples.map(textOf)));
  const name = fc.oneof(fc.string(), fc.constantFrom(...samples.map((one) => one.name ?? 'news')));
  fc.assert(
    fc.property(fc.constantFrom(...formatNames), level, name, text, (format, where, called, data) => {
      holds(decode({ name: called, level: where, data: Buffer.from(data) }, [format]));
    }),
    { numRuns: runs(1_000) },
  );
});

test('the largest nodes take time in proportion to their size', () => {
  const fill = (unit: string, around: (inside: string) => string) =>
    around(unit.repeat(Math.floor((maxDataBytes - 200) / unit.length)).replace(/,$/, ''));
  const large: readonly (readonly [name: string, data: string, level: RegisteredNode['level']])[] = [
    ['a', fill('"a":1,', (inside) => `{"service_address":"o:80","properties":{${inside}}}`), 'endpoint'],
    ['a', fill('{"value":"a"},', (parts) => `{"address":"o","port":80,"uriSpec":{"parts":[${parts}]}}`), 'endpoint'],
    ['a', fill(`"x":1,`, (inside) => `{"address":"o","port":80,"payload":{"metadata":{${inside}}}}`), 'endpoint'],
    ['vector_1', fill('{"select":"shard=1","weight":1},', (inside) => `{"vector":[${inside}]}`), 'endpoint'],
    ['news', fill('{"host":"o:80"},', (inside) => `[${inside}]`), 'channel'],
    ['i_1', fill(' ', (inside) => `{"host":"o","port":1,"haproxy_server_options":"${inside}"}`), 'endpoint'],
    [`dubbo%3A%2F%2Fh%3A80%3F${'a=b&'.repeat(480)}`, '', 'endpoint'],
    [`base64_${'9'.repeat(5)}_${'e30'.repeat(600)}`, '', 'endpoint'],
  ];
  for (const [name, data, where] of large) {
    const node = { name, level: where, data: Buffer.from(data) };
    assert.ok(node.data.length <= maxDataBytes);
    const before = process.cpuUsage();
    for (let i = 0; i < 5; i++) holds(decode(node));
    const { user } = process.cpuUsage(before);
    // A millisecond or two each; what is quadratic takes seconds.
    assert.ok(user / 1000 < 500, `${name}: ${user / 1000} ms`);
  }
});
