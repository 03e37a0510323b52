import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isDue, type Standing, stepsTo } from '../../src/agent/steps.js';
import type { Wanted } from '../../src/agent/wanted.js';

const news: Wanted = { channel: 'news', address: '10.0.0.1:80', load: 0.5, bitrate: 1000, packetLoss: 0 };
const mapOf = <T extends Wanted>(...all: T[]) => new Map(all.map((each) => [each.channel, each]));
const standing = (at: number, ...all: Wanted[]) => mapOf<Standing>(...all.map((each) => ({ ...each, at })));

test('what is found is put, what is gone is removed, and nothing else happens', () => {
  const sport = { ...news, channel: 'sport' };
  assert.deepEqual(stepsTo(mapOf(news), standing(0, sport), 1, 1_000), [
    { kind: 'remove', channel: 'sport' },
    { kind: 'put', wanted: news },
  ]);
  assert.deepEqual(stepsTo(mapOf(news), standing(0, news), 1e9, 1_000), []);
  assert.deepEqual(stepsTo(new Map(), new Map(), 0, 1_000), []);
});

test('another address leaves before it comes again', () => {
  const moved = { ...news, address: '10.0.0.2:80' };
  assert.deepEqual(stepsTo(mapOf(moved), standing(0, news), 1, 1_000), [
    { kind: 'remove', channel: 'news' },
    { kind: 'put', wanted: moved },
  ]);
});

describe('a report is written', () => {
  const cases: readonly [change: Partial<Wanted>, when: 'at once' | 'after the interval'][] = [
    [{ load: 0.55 }, 'at once'],
    [{ load: 0.549 }, 'after the interval'],
    [{ load: 0.4 }, 'at once'],
    [{ load: undefined }, 'at once'],
    [{ packetLoss: 0.02 }, 'at once'],
    [{ packetLoss: 0.001 }, 'after the interval'],
    [{ bitrate: 1300 }, 'at once'],
    [{ bitrate: 1100 }, 'after the interval'],
    [{ bitrate: undefined }, 'at once'],
  ];
  for (const [change, when] of cases) {
    test(`${when} with ${JSON.stringify(change, (_, value) => value ?? 'unknown')}`, () => {
      const wanted = { ...news, ...change };
      const update = [{ kind: 'update', wanted }];
      assert.deepEqual(stepsTo(mapOf(wanted), standing(0, news), 999, 1_000), when === 'at once' ? update : []);
      assert.deepEqual(stepsTo(mapOf(wanted), standing(0, news), 1_000, 1_000), update);
    });
  }
});

test('the load of the server is written like that of a stream', () => {
  const before = { load: 0.5, at: 1_000 };
  const due = (load: number | undefined, now: number) => isDue(before, load, now, 10_000);
  assert.deepEqual([due(0.56, 1_001), due(0.51, 10_999), due(0.51, 11_000), due(0.5, 1e9)], [true, false, true, false]);
  assert.equal(due(undefined, 1_001), true);
});
