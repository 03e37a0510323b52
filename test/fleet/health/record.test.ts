// What a leader publishes, and how much it counts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Failure } from '../../../src/errors.js';
import {
  believable,
  findingsOf,
  type HealthRecord,
  maxFailing,
  parseRecord,
} from '../../../src/fleet/health/record.js';
import { maxTargets, probeTargets } from '../../../src/fleet/health/targets.js';
import type { Channel, ServerOrigin } from '../../../src/model.js';
import { endpoint } from '../../support/data-plane.js';

const record = (at: number, ...failing: HealthRecord['failing']): HealthRecord => ({
  v: 1,
  token: '7',
  at,
  intervalMs: 10_000,
  failing,
});
const a: [string, Failure] = ['http://a:80', 'connect_error'];
const b: [string, Failure] = ['http://b:80', 'stall'];

test('a finding counts less the older it is, and one of three intervals ago not at all', () => {
  const weights = [0, 15_000, 29_999, 30_000, 90_000].map(
    (age) => findingsOf(record(1_000, a), undefined, 1_000 + age)[0]?.[2] ?? 0,
  );
  assert.deepEqual(
    weights.map((weight) => Math.round(weight * 100) / 100),
    [1, 0.5, 0, 0, 0],
  );
  // Clocks of machines differ.
  assert.equal(findingsOf(record(5_000, a), undefined, 1_000)[0]?.[2], 1);
});

test('what failed in the round before and does no more is taken back', () => {
  assert.deepEqual(findingsOf(record(1_000, b), record(0, a), 1_000), [
    ['http://b:80', 'stall', 1],
    ['http://a:80', 'connect_error', -1],
  ]);
});

test('when most servers fail, the leader is not believed', () => {
  const failing = ['http://a:80', 'http://b:80'].map((server) => [server as ServerOrigin, 'cut'] as const);
  assert.deepEqual(believable(failing, 3), []);
  assert.equal(believable(failing, 4).length, 2);
  const many = Array.from({ length: 600 }, (_, i) => [`http://s${i}:80` as ServerOrigin, 'cut'] as const);
  assert.equal(believable(many, 2_000).length, maxFailing);
});

test('what is no record is none, whoever wrote it', () => {
  assert.deepEqual(parseRecord(JSON.stringify(record(1, a))), record(1, a));
  const wrong = [
    '',
    '{',
    'null',
    JSON.stringify({ ...record(1), v: 2 }),
    JSON.stringify({ ...record(1), token: '-1' }),
    JSON.stringify({ ...record(1), at: -1 }),
    JSON.stringify({ ...record(1), intervalMs: 1 }),
    JSON.stringify({ ...record(1), failing: [['http://a:80', 'no such failure']] }),
    JSON.stringify(record(1, ...Array.from({ length: maxFailing + 1 }, () => a))),
  ];
  for (const text of wrong) assert.equal(parseRecord(text), undefined, text);
});

test('a round asks one endpoint of each server, another one each time, and none that vanished', () => {
  const channels = [
    { name: 'x', endpoints: [endpoint('x', 'http://a:80/one'), endpoint('x', 'http://b:80/one')] },
    {
      name: 'y',
      endpoints: [endpoint('y', 'http://a:80/two'), { ...endpoint('y', 'http://c:80/one'), lastResort: true }],
    },
  ] as unknown as Channel[];
  const asked = (round: number) => probeTargets(channels, round).map(({ endpoint: { address } }) => address);
  assert.deepEqual(asked(0), ['http://a:80/one', 'http://b:80/one']);
  assert.deepEqual(asked(1), ['http://a:80/two', 'http://b:80/one']);
  const many = [
    { name: 'z', endpoints: Array.from({ length: 3_000 }, (_, i) => endpoint('z', `http://s${i}:80/z`)) },
  ] as unknown as Channel[];
  const servers = [0, 1].flatMap((round) => probeTargets(many, round).map(({ server }) => server));
  assert.equal(servers.length, 2 * maxTargets);
  assert.equal(new Set(servers).size, 3_000);
});
