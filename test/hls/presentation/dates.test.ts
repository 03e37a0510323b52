// Times and date ranges, as players see them across reloads and switches.

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { maxRangeChars, maxRanges, maxTextChars, nextDateRanges } from '../../../src/hls/presentation/date-ranges.js';
import { Bench, list } from '../../support/bench.js';

const clock = Date.UTC(2026, 0, 1);
const at = (seconds: number) => new Date(clock + seconds * 1000).toISOString();
const timeLines = (bench: Bench) => bench.text.split('\n').filter((line) => line.includes('DATE-TIME'));
const rangeLines = (bench: Bench) => bench.text.split('\n').filter((line) => line.includes('DATERANGE'));

suite('the time', () => {
  /** Says the time once, before its first segment. */
  const saidOnce = (first: number, prefix = 's') =>
    list(first, 6, { prefix, extra: `#EXT-X-PROGRAM-DATE-TIME:${at(first * 2)}\n` });

  test('that an origin says at the head of its list only stands at the head of every list', () => {
    const bench = new Bench('A');
    for (let first = 10; first < 40; first += 1) {
      bench.see(saidOnce(first));
      bench.now += 2000;
      assert.deepEqual(timeLines(bench), [`#EXT-X-PROGRAM-DATE-TIME:${at(first * 2)}`]);
    }
    assert.deepEqual(bench.checker.violations, []);
  });

  test('is said again behind a discontinuity, though its segment was not where the origin says it', () => {
    const bench = new Bench('A');
    bench.see(saidOnce(10));
    bench.now += 2000;
    bench.moveTo('B');
    bench.see(saidOnce(110, 'b').replace(at(220), at(22)));
    bench.now += 2000;
    bench.see(saidOnce(111, 'b').replace(at(222), at(24)));
    assert.deepEqual(timeLines(bench), [
      `#EXT-X-PROGRAM-DATE-TIME:${at(24)}`,
      // Counted on from the first segment of B's list, which itself is not listed.
      `#EXT-X-PROGRAM-DATE-TIME:${at(32)}`,
    ]);
    assert.deepEqual(bench.checker.violations, []);
  });

  test('said for every segment is passed on for every segment as it is', () => {
    const bench = new Bench('A');
    const zoned = list(10, 3, { before: (n) => `#EXT-X-PROGRAM-DATE-TIME:2026-01-01T02:00:${n * 2}.5+02:00\n` });
    bench.see(zoned);
    assert.deepEqual(
      timeLines(bench),
      [20, 22, 24].map((second) => `#EXT-X-PROGRAM-DATE-TIME:2026-01-01T02:00:${second}.5+02:00`),
    );
  });

  test('before a discontinuity tag of the same segment is the time of that segment', () => {
    const bench = new Bench('A');
    const before = (n: number) => (n === 11 ? `#EXT-X-PROGRAM-DATE-TIME:${at(7)}\n#EXT-X-DISCONTINUITY\n` : '');
    bench.see(list(10, 3, { before }));
    assert.equal(bench.window?.entries[2]?.programDateTime, clock + 9000);
  });

  test('counts on when its origin says it no more, and when one goes on that never says it', () => {
    const bench = new Bench('A');
    bench.see(list(10, 3, { extra: `#EXT-X-PROGRAM-DATE-TIME:${at(20)}\n` }));
    for (let first = 11; first < 20; first += 1) {
      bench.now += 2000;
      if (first === 15) bench.moveTo('B');
      assert.equal(bench.see(list(first, 3)), first === 15 ? 'joined' : 'grown');
      assert.deepEqual(timeLines(bench), [`#EXT-X-PROGRAM-DATE-TIME:${at(first * 2)}`]);
    }
    assert.deepEqual(bench.checker.violations, []);
  });

  test('of an origin that never says it is not made up', () => {
    const bench = new Bench('A');
    bench.see(list(10, 6));
    assert.deepEqual(timeLines(bench), []);
  });
});

suite('a date range', () => {
  const range = (id: string, start: number, more = '') =>
    `#EXT-X-DATERANGE:ID="${id}",START-DATE="${at(start)}"${more}\n`;
  const dated = (first: number, extra: string, prefix = 's') => list(first, 6, { clock, extra, prefix });

  test('above the first segment is in every list of players', () => {
    const bench = new Bench('A');
    for (let first = 10; first < 30; first += 1) {
      bench.see(dated(first, range('ad', first * 2, ',DURATION=2')));
      bench.now += 2000;
      assert.equal(rangeLines(bench).length, 1, bench.text);
    }
  });

  for (const [where, text] of [
    ['in the header', (lines: string) => dated(10, `${lines}#EXT-X-INDEPENDENT-SEGMENTS\n`)],
    ['before its first segment', (lines: string) => dated(10, lines)],
    ['among its segments', (lines: string) => dated(10, '').replace('s12.ts\n', `s12.ts\n${lines}`)],
    ['behind its last segment', (lines: string) => dated(10, '') + lines],
  ] as const) {
    test(`that an origin has ${where} is told once, before the segments`, () => {
      const bench = new Bench('A');
      bench.see(text(range('ad', 22)));
      assert.deepEqual(rangeLines(bench), [range('ad', 22).trim()]);
      assert.ok(bench.text.indexOf('DATERANGE') < bench.text.indexOf('EXTINF'));
    });
  }

  test('gets what is said of it later, also when nothing else is new', () => {
    const bench = new Bench('A');
    bench.see(dated(10, range('ad', 22, ',SCTE35-OUT=0xFC01')));
    assert.equal(bench.see(dated(10, range('ad', 22, `,END-DATE="${at(27)}",SCTE35-IN=0xFC02`))), 'same');
    assert.deepEqual(rangeLines(bench), [
      `#EXT-X-DATERANGE:ID="ad",START-DATE="${at(22)}",SCTE35-OUT=0xFC01,END-DATE="${at(27)}",SCTE35-IN=0xFC02`,
    ]);
    assert.deepEqual(bench.checker.violations, []);
  });

  test('of two tags in one list is told as one', () => {
    const bench = new Bench('A');
    bench.see(dated(10, range('ad', 22) + range('ad', 22, ',DURATION=4')));
    assert.equal(rangeLines(bench).length, 1);
    assert.match(bench.text, /DURATION=4\n/);
  });

  test('stays while it reaches into the window, though its origin lists it no more, and leaves with its segments', () => {
    const bench = new Bench('A');
    bench.see(dated(10, range('ad', 22, ',DURATION=4')));
    const told: number[] = [];
    for (let first = 11; first < 17; first += 1) {
      bench.now += 2000;
      bench.see(dated(first, ''));
      if (rangeLines(bench).length > 0) told.push(first);
    }
    // 13 begins at its end.
    assert.deepEqual(told, [11, 12, 13]);
    assert.deepEqual(bench.checker.violations, []);
  });

  test('stays when the channel goes to another origin', () => {
    const bench = new Bench('A');
    bench.see(dated(10, range('ad', 28, ',DURATION=60')));
    bench.now += 2000;
    bench.moveTo('B');
    assert.equal(bench.see(dated(11, range('b', 30), 'b')), 'switched');
    assert.deepEqual(
      bench.window?.dateRanges.map(({ id }) => id),
      ['ad', 'b'],
    );
    assert.deepEqual(bench.checker.violations, []);
  });

  test('without an ID is none', () => {
    const bench = new Bench('A');
    bench.see(dated(10, '#EXT-X-DATERANGE:START-DATE="2026-01-01T00:00:00Z"\n#EXT-X-DATERANGE\n'));
    assert.deepEqual(rangeLines(bench), []);
  });

  test('too many are bounded in number and in text: the newest are told', () => {
    const tag = (id: number | string, value = '') => ({ name: 'EXT-X-DATERANGE', value: `ID="${id}"${value}` });
    const flood = (count: number, value = '') => Array.from({ length: count }, (_, index) => tag(index, value));
    const many = nextDateRanges([], flood(maxRanges + 9), 0);
    assert.equal(many.length, maxRanges);
    assert.equal(many.at(-1)?.id, String(maxRanges + 8));
    const size = (ranges: readonly { id: string; value: string }[]) =>
      ranges.reduce((sum, { id, value }) => sum + id.length + value.length, 0);
    const long = nextDateRanges([], flood(100, `,X-A="${'a'.repeat(maxRangeChars - 100)}"`), 0);
    assert.ok(long.length > 0 && size(long) <= maxTextChars, String(size(long)));
    assert.equal(long.at(-1)?.id, '99');
    assert.deepEqual(nextDateRanges([], [tag('x', `,X-A="${'a'.repeat(maxRangeChars)}"`)], 0), []);
    // One range that grows with every list, and new ones that never end.
    let ranges = nextDateRanges([], [], 0);
    for (let step = 0; step < 1000; step += 1) {
      const forever = `,START-DATE="2026-01-01T00:00:00Z",END-DATE="9999-01-01T00:00:00Z"`;
      ranges = nextDateRanges(ranges, [tag('grows', `,X-A${step}="${'a'.repeat(100)}"`), tag(step, forever)], clock);
      assert.ok(size(ranges) <= maxTextChars && ranges.length <= maxRanges);
      assert.ok(ranges.every(({ value }) => value.length <= maxRangeChars));
    }
    assert.equal(ranges.at(-1)?.id, '999');
  });
});
