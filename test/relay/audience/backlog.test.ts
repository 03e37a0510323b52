import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Backlog, distinctBytes, tooMuch } from '../../../src/relay/audience/backlog.js';

const news = {};
const sports = {};
const held = (stream: object, from: number, to: number, takenAt = 0, entry?: { length: number }): Backlog => ({
  stream,
  from,
  to,
  entry,
  takenAt,
});

test('bytes that viewers share count once', () => {
  const group = { length: 1_000 };
  const cases: [expected: number, ...Backlog[]][] = [
    [0],
    [10, held(news, 0, 10)],
    [10, held(news, 0, 10), held(news, 0, 10)],
    [15, held(news, 0, 10), held(news, 5, 15)],
    [20, held(news, 30, 40), held(news, 0, 10)],
    [10, held(news, 0, 10), held(news, 3, 5)],
    [20, held(news, 0, 10), held(sports, 0, 10)],
    [1_010, held(news, 0, 10, 0, group), held(news, 0, 10, 0, group)],
    [2_000, held(news, 10, 10, 0, group), held(news, 10, 10, 0, { length: 1_000 })],
  ];
  for (const [expected, ...backlogs] of cases) assert.equal(distinctBytes(backlogs), expected);
});

test('the same is counted byte by byte', () => {
  const stretch = fc.record({ stream: fc.constantFrom(news, sports), from: fc.nat(50), length: fc.nat(20) });
  fc.assert(
    fc.property(fc.array(stretch), (stretches) => {
      const bytes = new Map<object, Set<number>>([
        [news, new Set()],
        [sports, new Set()],
      ]);
      for (const { stream, from, length } of stretches) {
        for (let at = from; at < from + length; at += 1) bytes.get(stream)?.add(at);
      }
      const counted = distinctBytes(stretches.map(({ stream, from, length }) => held(stream, from, from + length)));
      assert.equal(counted, (bytes.get(news)?.size ?? 0) + (bytes.get(sports)?.size ?? 0));
    }),
  );
});

test('those who took nothing for longest go, and no more than have to', () => {
  const backlogs = Array.from({ length: 10 }, (_, index) => held({}, 0, 100, (index * 7) % 10));
  const leaving = tooMuch(backlogs, 600);
  assert.deepEqual(
    leaving.map(({ takenAt }) => takenAt),
    [0, 1, 2, 3],
  );
  assert.deepEqual(tooMuch(backlogs, 1_000), []);
  assert.equal(tooMuch(backlogs, 0).length, 10);
});
