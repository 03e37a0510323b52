import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode } from '../../../src/registry/formats/decode.js';

const read = (json: object, level: 'channel' | 'endpoint' = 'endpoint', name = 'a') =>
  decode({ name, level, data: Buffer.from(JSON.stringify(json)) });

/** What an endpoint with these fields says beside its address, and what of it means nothing. */
function said(fields: object): object {
  const decoded = read({ service_address: 'o:80', ...fields });
  assert.equal(decoded.kind, 'endpoints');
  const { address, values, ...more } = decoded.registrations[0];
  const unknown = values.unknown.map(({ field, reason }) => `${field} ${reason}`);
  return { ...(address === 'o:80' ? {} : { address }), ...more, unknown };
}

const plain = { traits: {}, eligible: true, unknown: [] };
const long = 'x'.repeat(65);

test('a registration says its status, weight, zone, priority, version, properties and report', () => {
  const table: readonly (readonly [fields: object, expected: object])[] = [
    [{ status: 'live' }, {}],
    [{ status: 'draining' }, { traits: { draining: true } }],
    [{ status: 'off' }, { eligible: false }],
    [{ weight: 0 }, { traits: { weight: 0 } }],
    [{ weight: 2.5 }, { traits: { weight: 2.5 } }],
    [{ weight: 10_000 }, { traits: { weight: 10_000 } }],
    [{ zone: 'north 1' }, { traits: { zone: 'north 1' } }],
    [{ priority: 0 }, { traits: { priority: 0 } }],
    [{ priority: 1_000 }, { traits: { priority: 1_000 } }],
    [{ version: '2.0.1' }, { traits: { release: '2.0.1' } }],
    [{ version: 3 }, { traits: { release: '3' } }],
    [
      { properties: { a: 'b', n: 1, t: true, e: '', o: null } },
      { traits: { properties: { a: 'b', n: '1', t: 'true', e: '' } } },
    ],
    [{ properties: {} }, {}],
    [{ report: '/servers/a' }, { report: '/servers/a' }],
    [
      {
        status: null,
        weight: null,
        zone: null,
        path: null,
        priority: null,
        report: null,
        version: null,
        properties: null,
      },
      {},
    ],
  ];
  for (const [fields, expected] of table)
    assert.deepEqual(said(fields), { ...plain, ...expected }, JSON.stringify(fields));
});

test('what means nothing is unknown with a reason, never zero, and the endpoint stays', () => {
  const table: readonly (readonly [fields: object, ...unknown: string[]])[] = [
    [{ status: 'UP' }, 'status not_known'],
    [{ status: true }, 'status not_a_text'],
    [{ status: '' }, 'status malformed'],
    [{ weight: '1' }, 'weight not_a_number'],
    [{ weight: -1 }, 'weight negative'],
    [{ weight: 10_001 }, 'weight too_large'],
    [{ zone: 7 }, 'zone not_a_text'],
    [{ zone: '' }, 'zone malformed'],
    [{ zone: 'a\u001b[2J' }, 'zone malformed'],
    [{ zone: long }, 'zone too_long'],
    [{ priority: 1.5 }, 'priority not_whole'],
    [{ priority: -1 }, 'priority negative'],
    [{ priority: 1_001 }, 'priority too_large'],
    [{ version: {} }, 'version not_a_text'],
    [{ version: long }, 'version too_long'],
    [{ properties: [] }, 'properties not_a_text'],
    [{ properties: 'a=b' }, 'properties not_a_text'],
    [{ properties: { a: {}, b: [] } }, 'properties not_a_text'],
    [{ properties: { [long]: 'a' } }, 'properties malformed'],
    [{ properties: { a: 'x'.repeat(257) } }, 'properties too_long'],
    [{ report: 'servers/a' }, 'report malformed'],
    [{ report: '/servers/../a' }, 'report malformed'],
    [{ report: '/servers/' }, 'report malformed'],
    [{ report: '/' }, 'report malformed'],
    [{ report: '/zookeeper' }, 'report malformed'],
    [{ report: '/zookeeper/quota' }, 'report malformed'],
    [{ report: '/servers/\u{1f4fa}' }, 'report malformed'],
    [{ report: '/servers/\ufffd' }, 'report malformed'],
    [{ report: `/${'a'.repeat(1024)}` }, 'report too_long'],
    [{ path: 'live' }, 'path malformed'],
    [{ path: '/a b' }, 'path malformed'],
    [{ path: '/a#b' }, 'path malformed'],
    [{ path: `/${'a'.repeat(1024)}` }, 'path too_long'],
    [{ weight: 'x', zone: 1 }, 'weight not_a_number', 'zone not_a_text'],
  ];
  for (const [fields, ...unknown] of table)
    assert.deepEqual(said(fields), { ...plain, unknown }, JSON.stringify(fields));
});

test('properties are sixteen at most', () => {
  const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`p${i}`, i]));
  const { traits, unknown } = said({ properties: many }) as { traits: { properties: object }; unknown: string[] };
  assert.equal(Object.keys(traits.properties).length, 16);
  assert.deepEqual(unknown, ['properties too_many']);
});

test('no property reaches the prototype of anything', () => {
  const data = '{"service_address":"o:80","properties":{"__proto__":"x","constructor":"y","a":"b"}}';
  const decoded = decode({ name: 'a', level: 'endpoint', data: Buffer.from(data) });
  assert.equal(decoded.kind, 'endpoints');
  const { traits, values } = decoded.registrations[0];
  assert.deepEqual(Object.entries(traits.properties ?? {}), [
    ['constructor', 'y'],
    ['a', 'b'],
  ]);
  assert.equal(Object.getPrototypeOf(traits.properties), Object.prototype);
  assert.deepEqual(values.unknown, [{ field: 'properties', reason: 'malformed' }]);
});

test('a path is joined to an address that has none', () => {
  const table = [
    ['o:80', '/live/{channel}{rest}', 'http://o:80/live/{channel}{rest}'],
    ['https://o', '/x', 'https://o/x'],
    ['http://o:80/', '/x?a=1', 'http://o:80/x?a=1'],
    ['[2001:db8::1]:80', '/x', 'http://[2001:db8::1]:80/x'],
    ['http://o:80/own', '/x', 'http://o:80/own'],
  ] as const;
  for (const [address, path, expected] of table) {
    const decoded = read({ service_address: address, path });
    assert.equal(decoded.kind === 'endpoints' && decoded.registrations[0].address, expected);
  }
});

test("a channel's own data say all of it for its endpoints", () => {
  assert.deepEqual(read({ status: 'off', weight: 2, zone: 'a', path: '/x', priority: 'high' }, 'channel'), {
    kind: 'defaults',
    values: {
      load: undefined,
      bitrate: undefined,
      packetLoss: undefined,
      unknown: [{ field: 'priority', reason: 'not_a_number' }],
    },
    traits: { weight: 2, zone: 'a' },
    eligible: false,
    path: '/x',
  });
});

test('a child that is named like an address says the rest in its data', () => {
  const decoded = read({ status: 'draining' }, 'endpoint', '10.0.0.1:8080');
  assert.equal(decoded.kind, 'endpoints');
  assert.equal(decoded.registrations[0].address, '10.0.0.1:8080');
  assert.deepEqual(decoded.registrations[0].traits, { draining: true });
  assert.deepEqual(read({ status: 'draining' }), { kind: 'skipped', reason: 'no_address' });
});

test('only the formats that a tree allows are tried', () => {
  const node = { name: '10.0.0.1:80', level: 'endpoint', data: Buffer.from('10.0.0.2:80') } as const;
  assert.equal(decode(node, ['plain']).kind, 'endpoints');
  assert.equal(decode(node, 'auto').kind, 'endpoints');
  assert.deepEqual(decode(node, ['weir', 'metadata']), { kind: 'skipped', reason: 'unknown_format' });
  assert.deepEqual(decode({ ...node, data: Buffer.from('') }, ['plain']), { kind: 'skipped', reason: 'no_address' });
});
