// Origins that list what no honest one would: what players see stays within the rules, and what is kept stays bounded.

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { WeirError } from '../../../src/errors.js';
import { PlaylistError } from '../../../src/hls/playlist/model.js';
import { charsOf } from '../../../src/hls/presentation/live-window.js';
import { maxKeptChars, maxKeptEntries } from '../../../src/hls/presentation/trim.js';
import { anyText } from '../../support/any-text.js';
import { Bench, list } from '../../support/bench.js';
import { collectGarbage } from '../../support/garbage.js';
import { runs } from '../../support/runs.js';

const head = (sequence: number, more = '') =>
  `#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:${sequence}\n${more}`;

suite('a window stays bounded', () => {
  test('of segments of no duration, however many come', () => {
    const bench = new Bench('A');
    const count = 2_000;
    for (let step = 0; step < 8; step += 1) {
      const text = Array.from({ length: count }, (_, index) => `#EXTINF:0,\n${step * count + index}\n`).join('');
      bench.take(head(step * count) + text);
      assert.ok((bench.window?.entries.length ?? 0) <= count + maxKeptEntries);
    }
  });

  test('of segments that come faster than time allows: a few of the newest are taken, as of an origin that began anew', () => {
    const bench = new Bench('A');
    const count = 1_000;
    for (let step = 0; step < 5; step += 1) {
      const before = bench.window?.entries.at(-1)?.sequence;
      bench.now += 1000;
      bench.see(list(step * count, count, { duration: 0.1 }));
      const grown = (bench.window?.entries.at(-1)?.sequence ?? 0) - (before ?? 0);
      if (before !== undefined) assert.ok(grown <= 30, String(grown));
    }
    assert.deepEqual(bench.checker.violations, []);
  });

  test('of a list that changes entirely with each request', () => {
    const bench = new Bench('A');
    for (let step = 0; step < maxKeptEntries + 100; step += 1) {
      bench.now += 10;
      bench.take(
        list(step % 7, 2, {
          prefix: `x${step}-`,
          duration: 0.001,
          extra: `#EXT-X-DISCONTINUITY-SEQUENCE:${step}\n`,
        }),
      );
      assert.ok((bench.window?.entries.length ?? 0) <= maxKeptEntries + 2);
    }
    assert.ok((bench.window?.listed.size ?? 0) <= 32);
    assert.ok(bench.period.incarnations.size <= 32);
  });

  test('of sources without end', () => {
    const bench = new Bench('A');
    for (let step = 0; step < 100; step += 1) {
      bench.moveTo(`S${step}`);
      bench.now += 2000;
      bench.see(list(100, 3, { prefix: `s${step}-` }));
      bench.see(list(0, 3, { prefix: `t${step}-` }));
    }
    assert.ok((bench.window?.listed.size ?? 0) <= 32);
    assert.ok(bench.period.incarnations.size <= 32);
    assert.deepEqual(bench.checker.violations, []);
  });

  test('of long names that are kept beyond the list', () => {
    const bench = new Bench('A');
    const name = 'n'.repeat(60_000);
    for (let step = 0; step < 350; step += 1) {
      bench.now += 1;
      bench.take(`${head(step)}#EXTINF:0,\n${name}${step}\n`);
    }
    assert.ok(charsOf(bench.window?.entries ?? []) <= maxKeptChars + 100_000);
  });

  test('of a vector that makes a long key another one for each segment: the list is refused', () => {
    const bench = new Bench('A');
    bench.take(list(10, 3));
    bench.now += 2000;
    bench.moveTo('B');
    const key = `#EXT-X-KEY:METHOD=AES-128,URI="data:${'k'.repeat(16_000)}"\n`;
    bench.take(list(500, 3, { prefix: 'b', extra: key }));
    // Time enough for any number of segments.
    bench.now += 1e9;
    const flood = Array.from({ length: 5_000 }, (_, index) => `#EXTINF:0,\nb${503 + index}.ts\n`).join('');
    assert.throws(
      () => bench.take(head(503, key) + flood),
      (error) => error instanceof WeirError && error.code === 'upstream_bad_response',
    );
  });

  test('of header tags without end, which are passed on', () => {
    const bench = new Bench('A');
    bench.take(list(10, 3, { extra: '#EXT-X-START:TIME-OFFSET=0\n'.repeat(150_000) }));
    assert.equal(bench.text.match(/TIME-OFFSET/g)?.length, 150_000);
  });

  test('of memory: what it keeps of a playlist does not keep the playlist', () => {
    const heap = () => {
      collectGarbage();
      return process.memoryUsage().heapUsed / 1024 / 1024;
    };
    const steps = runs(70, 200);
    const bench = new Bench('A');
    const padding = `#${'x'.repeat(60_000)}\n`.repeat(4);
    const before = heap();
    for (let step = 0; step < steps; step += 1) {
      bench.now += 2000;
      const more = `#EXT-X-DATERANGE:ID="range-number-${step}",START-DATE="2026-01-01T00:00:00Z",X-NOTE="note"\n`;
      const map = `#EXT-X-KEY:METHOD=AES-128,URI="key-of-segment-${step}"\n#EXT-X-MAP:URI="initialisation-${step}.mp4"\n`;
      bench.take(
        list(step, 200, { prefix: 'segment-number-', extra: padding + more + map, clock: Date.UTC(2026, 0, 1) }),
      );
    }
    // The playlists come to 0.24 MB each; each of the window's entries came with another one.
    const grown = heap() - before;
    assert.ok(grown < 0.1 * steps, `${grown.toFixed(1)} MiB are kept`);
  });
});

suite('no number of an origin outlives it', () => {
  test('a target duration of hours: the next origin tells another', () => {
    const bench = new Bench('A');
    bench.see(list(10, 3, { target: 80_000 }));
    bench.now += 2000;
    bench.moveTo('B');
    bench.see(list(500, 6, { prefix: 'b', target: 2 }));
    assert.match(bench.text, /TARGETDURATION:2\n/);
    assert.deepEqual(bench.uris, ['b505.ts?weir=B']);
    assert.match(bench.text, /MEDIA-SEQUENCE:13\n/);
  });

  test('a usual one stays, as players were promised', () => {
    const bench = new Bench('A');
    bench.see(list(10, 3, { target: 30 }));
    bench.now += 2000;
    bench.moveTo('B');
    bench.see(list(500, 6, { prefix: 'b', target: 2 }));
    assert.match(bench.text, /TARGETDURATION:30\n/);
    assert.deepEqual(bench.checker.violations, []);
  });

  test('the highest numbers that are read leave room to count on', () => {
    const bench = new Bench('A');
    const top = '#EXT-X-DISCONTINUITY-SEQUENCE:999999999\n';
    bench.see(list(2 ** 52 - 3, 3, { extra: top, before: () => '#EXT-X-DISCONTINUITY\n' }));
    for (let step = 1; step < 50; step += 1) {
      bench.now += 2000;
      bench.moveTo(`S${step}`);
      bench.see(list(2 ** 52 - 3, 3, { prefix: `x${step}-`, extra: top }));
    }
    assert.ok((bench.window?.entries.at(-1)?.discontinuitySequence ?? 0) < 2 ** 31);
    assert.deepEqual(bench.checker.violations, []);
  });

  test('what one playlist counts beyond all measure moves the others by little', () => {
    const [video, audio] = [new Bench('A'), new Bench('A')];
    const huge = '#EXT-X-DISCONTINUITY-SEQUENCE:999999999\n';
    video.see(list(10, 6));
    for (let step = 0; step < 20; step += 1) {
      audio.period = video.period;
      audio.now = video.now;
      audio.see(list(10 + step, 6, { prefix: `audio${step}-`, extra: huge }));
      video.period = audio.period;
      video.now += 2000;
      video.see(list(10 + step, 6, { prefix: `r${step}-` }));
    }
    assert.ok(video.period.top < 100_000, String(video.period.top));
    assert.deepEqual(video.checker.violations, []);
    assert.deepEqual(audio.checker.violations, []);
  });

  test('discontinuities that no missing segment could have had are not counted', () => {
    const bench = new Bench('A');
    bench.see(list(10, 6));
    bench.now += 2000;
    bench.see(list(18, 6, { extra: '#EXT-X-DISCONTINUITY-SEQUENCE:999999999\n' }));
    assert.equal(bench.change, 'grown');
    assert.equal(bench.window?.entries[0]?.discontinuitySequence, 2);
  });
});

test('whatever an origin lists, it is refused or players see a list within the rules', () => {
  const number = fc.oneof(fc.nat(50), fc.constantFrom(0, 2 ** 31, 2 ** 32, 2 ** 52 - 20, 2 ** 52, 2 ** 53 - 1, 1e16));
  const uri = fc.oneof(
    fc.constantFrom(
      'a.ts',
      'b.ts',
      '"',
      'a"b,C=1',
      '%0d%0a%23EXT-X-ENDLIST',
      '?',
      '//x/y',
      'https://x/',
      '{$v}',
      '\u2028',
      '\r',
    ),
    anyText({ maxLength: 20 }),
  );
  const durationSeconds = fc.constantFrom('0', '0.001', '2', '2.5', '9', '86400', '86401', '-1', 'x', '1e3', '');
  const attribute = fc.constantFrom(
    '"',
    ',',
    '=',
    'x',
    'URI="k"',
    'ID="i"',
    'METHOD=NONE',
    'START-DATE="2026-01-01T00:00:00Z"',
  );
  const tag = fc.oneof(
    fc
      .tuple(
        fc.constantFrom('KEY', 'MAP', 'DATERANGE', 'PART', 'PRELOAD-HINT', 'SERVER-CONTROL', 'X'),
        fc.array(attribute, { maxLength: 4 }),
      )
      .map(([name, attributes]) => `#EXT-X-${name}:${attributes.join(',')}`),
    fc.constantFrom(
      '#EXT-X-DISCONTINUITY',
      '#EXT-X-GAP',
      '#EXT-X-ENDLIST',
      '#EXT-X-PART-INF:PART-TARGET=1',
      '#EXT-X-BYTERANGE:5',
      '#EXT-X-BYTERANGE:5@5',
    ),
    fc.constantFrom('0000', '+275760', '9999').map((year) => `#EXT-X-PROGRAM-DATE-TIME:${year}-01-01T00:00:00Z`),
    number.map((value) => `#EXT-X-DISCONTINUITY-SEQUENCE:${value}`),
    fc.constant('#EXT-X-MEDIA-SEQUENCE:7'),
  );
  const segment = fc
    .tuple(fc.array(tag, { maxLength: 2 }), durationSeconds, uri)
    .map(([tags, seconds, name]) => [...tags, `#EXTINF:${seconds},`, name].join('\n'));
  const playlist = fc
    .tuple(
      number,
      number,
      fc.constantFrom('2', '2', '2', '0', '1000000000', '-5', ''),
      fc.array(tag, { maxLength: 2 }),
      fc.array(segment, { maxLength: 6 }),
    )
    .map(([sequence, skipped, target, tags, segments]) =>
      [
        '#EXTM3U',
        `#EXT-X-TARGETDURATION:${target}`,
        `#EXT-X-MEDIA-SEQUENCE:${sequence}`,
        ...(skipped % 5 === 4 ? [`#EXT-X-SKIP:SKIPPED-SEGMENTS=${skipped}`] : []),
        ...tags,
        ...segments,
      ].join('\n'),
    );
  const honest = fc.nat(40).map((first) => list(first, 4));
  const step = fc.record({
    text: fc.oneof({ weight: 3, arbitrary: playlist }, { weight: 1, arbitrary: honest }),
    moves: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
    milliseconds: fc.constantFrom(0, 500, 2000, 60_000),
  });
  const property = fc.property(fc.array(step, { minLength: 1, maxLength: 30 }), (steps) => {
    const bench = new Bench('A');
    for (const [index, { text, moves, milliseconds }] of steps.entries()) {
      bench.now += milliseconds;
      if (moves) bench.moveTo(`S${index}`);
      try {
        bench.see(text, { allowEnd: false });
      } catch (error) {
        assert.ok(error instanceof PlaylistError || error instanceof WeirError, String(error));
      }
    }
    // An origin may break the rules of its own list; what is counted, players can rely on.
    const counted = /went back|longer than|changed its|exact|unreadable|lists no segment|left \d/;
    assert.deepEqual(
      bench.checker.violations.filter((violation) => counted.test(violation)),
      [],
    );
  });
  fc.assert(property, { numRuns: runs(20, 3000), includeErrorInReport: true });
});
