import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { parsePlaylist } from '../../../src/hls/playlist/parser.js';
import { renderWindow } from '../../../src/hls/presentation/render-window.js';
import { withPlayerQuery } from '../../../src/hls/url/rewrite.js';
import { Bench, list } from '../../support/bench.js';
import { collectGarbage } from '../../support/garbage.js';
import { runs } from '../../support/runs.js';

suite('one origin', () => {
  test('its window goes on with its own numbers', () => {
    const bench = new Bench('A');
    assert.equal(bench.see(list(10, 6)), 'started');
    bench.now += 2000;
    assert.equal(bench.see(list(11, 6)), 'grown');
    assert.equal(bench.see(list(11, 6)), 'same');
    assert.match(bench.text, /MEDIA-SEQUENCE:11\n/);
    assert.deepEqual(bench.checker.violations, []);
  });

  test('an old copy is left out, and becomes a restart when it stays', () => {
    const bench = new Bench('A');
    bench.see(list(10, 6));
    bench.now += 1000;
    assert.equal(bench.see(list(9, 6)), 'behind');
    assert.match(bench.text, /MEDIA-SEQUENCE:10\n/);
    bench.now += 3000;
    assert.equal(bench.see(list(9, 6)), 'restarted');
    assert.deepEqual(bench.checker.violations, []);
  });

  const restarts: [name: string, text: string][] = [
    ['numbers from zero', list(0, 2)],
    ['known numbers with other names', list(12, 6, { prefix: 'r' })],
    ['known numbers with other durations', list(12, 6, { duration: 1.5 })],
    ['known numbers at another time', list(12, 6, { clock: 1e12 })],
    ['a leap that no time allows', list(1_700_000_000, 6)],
  ];
  for (const [name, text] of restarts) {
    test(`a restart is a discontinuity: ${name}`, () => {
      const bench = new Bench('A');
      bench.see(list(10, 6, { clock: 0 }));
      bench.now += 2000;
      assert.equal(bench.see(text), 'restarted');
      assert.match(bench.text, /#EXT-X-DISCONTINUITY\n/);
      assert.equal(bench.window?.entries.at(-1)?.sequence, 16);
      assert.match(bench.uris.at(-1) ?? '', /weir=A\.n2$/);
      assert.deepEqual(bench.checker.violations, []);
    });
  }

  test('players come back after nobody asked for a while: the window goes on without a restart', () => {
    const bench = new Bench('A');
    bench.see(list(10, 6));
    bench.now += 120_000;
    assert.equal(bench.see(list(70, 6)), 'grown');
    assert.match(bench.text, /MEDIA-SEQUENCE:70\n/);
    assert.doesNotMatch(bench.text, /DISCONTINUITY/);
  });

  test('a target duration that flips is followed up when a segment needs it, never down', () => {
    const bench = new Bench('A');
    bench.see(list(10, 6, { target: 2 }));
    bench.see(list(11, 6, { target: 3 }));
    assert.match(bench.text, /TARGETDURATION:2\n/);
    bench.see(list(12, 6, { target: 3 }).replace(/#EXTINF:2.000,\ns17/, '#EXTINF:2.700,\ns17'));
    assert.match(bench.text, /TARGETDURATION:3\n/);
    bench.see(list(13, 6, { target: 2 }).replace(/#EXTINF:2.000,\ns17/, '#EXTINF:2.700,\ns17'));
    assert.match(bench.text, /TARGETDURATION:3\n/);
    assert.deepEqual(bench.checker.violations, []);
  });

  test('discontinuities that its origin does not count are counted here', () => {
    const bench = new Bench('A');
    const before = (sequence: number) => (sequence === 12 ? '#EXT-X-DISCONTINUITY\n' : '');
    for (let first = 8; first < 20; first++) bench.see(list(first, 6, { before }));
    assert.match(bench.text, /#EXT-X-DISCONTINUITY-SEQUENCE:1\n/);
    assert.deepEqual(bench.checker.violations, []);
  });

  test('an end is told when it may be, and what comes after it is a new life', () => {
    const bench = new Bench('A');
    bench.see(list(10, 6));
    bench.see(list(11, 6, { ended: true }), { allowEnd: false });
    assert.doesNotMatch(bench.text, /ENDLIST/);
    bench.see(list(11, 6, { ended: true }), { allowEnd: true });
    assert.match(bench.text, /ENDLIST/);
    assert.deepEqual(bench.checker.violations, []);
    assert.equal(bench.see(list(0, 1)), 'restarted');
    assert.doesNotMatch(bench.text, /ENDLIST/);
  });

  test('of two durations of one segment the last counts, as for players', () => {
    const bench = new Bench('A');
    bench.see(list(10, 3, { before: (sequence) => (sequence === 11 ? '#EXTINF:1.000,\n' : '') }));
    assert.equal(bench.text.match(/EXTINF/g)?.length, 3);
    assert.equal(bench.window?.entries[1]?.durationSeconds, 2);
  });

  test('what only players can name, since it has a variable in it, is not fetched ahead', () => {
    const bench = new Bench('A');
    bench.see(list(10, 3, { prefix: '{$dir}/', extra: '#EXT-X-MAP:URI="{$dir}/i.mp4"\n' }));
    assert.deepEqual(
      bench.window?.entries.map(({ fetchable, needs }) => [fetchable, needs.length]),
      [0, 1, 2].map(() => [false, 0]),
    );
  });

  test('half a segment at the end of a list that is being written is not told', () => {
    const bench = new Bench('A');
    bench.see(`${list(10, 3)}#EXTINF:2.000,\n#EXT-X-BYTERANGE:5@0\n`);
    assert.ok(bench.text.endsWith('s12.ts?weir=A\n'), bench.text);
  });

  test('tags nobody knows stay before their segment, and in the header', () => {
    const bench = new Bench('A');
    const before = (sequence: number) => (sequence === 11 ? '#EXT-X-CUE-OUT:30\n# a comment\n' : '');
    bench.see(list(10, 6, { before, extra: '#EXT-X-FOO:1\n#EXT-X-INDEPENDENT-SEGMENTS\n' }));
    assert.match(bench.text, /#EXT-X-CUE-OUT:30\n# a comment\n#EXTINF:2.000,\ns11/);
    assert.match(bench.text, /#EXT-X-FOO:1\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXTINF/);
  });

  test('byte ranges stand on their own when their predecessor has left', () => {
    const bench = new Bench('A');
    const text = (first: number) =>
      `#EXTM3U\n#EXT-X-VERSION:4\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:${first}\n` +
      [0, 1, 2, 3, 4]
        .map((index) => {
          const offset = index === 0 ? `@${(first + index) * 100}` : '';
          return `#EXTINF:1,\n#EXT-X-BYTERANGE:100${offset}\nall.ts\n`;
        })
        .join('');
    bench.see(text(0));
    bench.see(text(1));
    assert.match(bench.text, /BYTERANGE:100@100\n/);
    assert.match(bench.text, /BYTERANGE:100@500\n/);
    assert.deepEqual(bench.checker.violations, []);
  });
});

suite('a switch', () => {
  test('goes on at the live edge behind a discontinuity, with numbers that continue', () => {
    const bench = new Bench('A');
    bench.see(list(10, 6));
    bench.now += 2000;
    bench.moveTo('B');
    assert.equal(bench.see(list(500, 6, { prefix: 'b' })), 'switched');
    assert.match(bench.text, /s15\.ts\?weir=A\n#EXT-X-DISCONTINUITY\n#EXTINF:2.000,\nb505\.ts\?weir=B\n$/);
    for (let step = 1; step < 12; step++) {
      bench.now += 2000;
      bench.see(list(500 + step, 6, { prefix: 'b' }));
    }
    assert.match(bench.text, /#EXT-X-DISCONTINUITY-SEQUENCE:1\n/);
    assert.doesNotMatch(bench.text, /#EXT-X-DISCONTINUITY\n/);
    assert.deepEqual(bench.checker.violations, []);
  });

  test('takes as many segments as time has passed', () => {
    const bench = new Bench('A');
    bench.see(list(10, 6));
    bench.now += 6200;
    bench.moveTo('B');
    bench.see(list(500, 6, { prefix: 'b' }));
    assert.equal(bench.uris.filter((uri) => uri.startsWith('b')).length, 3);
    assert.deepEqual(bench.checker.violations, []);
  });

  test('is at the point in time where the other one ended, when both tell the time', () => {
    const bench = new Bench('A');
    const clock = Date.UTC(2026, 0, 1);
    bench.see(list(10, 6, { clock }));
    bench.now += 2000;
    bench.moveTo('B');
    // A ends at 32 s; B counts from 100 at 20.3 s and is at 37.3 s with its 107.
    bench.see(list(100, 9, { prefix: 'b', clock: clock + 20_300 - 200_000 }));
    assert.equal(
      bench.uris.find((uri) => uri.startsWith('b')),
      'b106.ts?weir=B',
    );
    assert.deepEqual(bench.checker.violations, []);
  });

  test('waits for an origin that lags, for as long as players have something to play', () => {
    const bench = new Bench('A');
    const clock = Date.UTC(2026, 0, 1);
    bench.see(list(10, 6, { clock }));
    bench.now += 500;
    bench.moveTo('B');
    const lagging = list(9, 6, { prefix: 'b', clock });
    assert.equal(bench.see(lagging), 'waiting');
    bench.now += 3000;
    assert.equal(bench.see(lagging), 'switched');
    assert.deepEqual(bench.checker.violations, []);
  });

  test('to an origin that shares the packaging needs no discontinuity', () => {
    const bench = new Bench('A');
    bench.see(list(10, 6));
    bench.now += 2000;
    bench.moveTo('B');
    assert.equal(bench.see(list(11, 6)), 'joined');
    assert.equal(bench.uris.at(-1), 's16.ts?weir=B');
    assert.equal(bench.uris.at(-2), 's15.ts?weir=A');
    bench.now += 2000;
    assert.equal(bench.see(list(12, 6)), 'grown');
    bench.moveTo('A');
    assert.equal(bench.see(list(11, 6)), 'joined', 'a little behind');
    bench.now += 2000;
    assert.equal(bench.see(list(13, 6)), 'grown');
    assert.equal(bench.uris.at(-1), 's18.ts?weir=A');
    assert.doesNotMatch(bench.text, /DISCONTINUITY/);
    assert.deepEqual(bench.checker.violations, []);
  });

  const notShared: [name: string, text: string, options?: { bytesDiffer: boolean }][] = [
    ['other names', list(11, 6, { prefix: 'b' })],
    ['other durations', list(11, 6, { duration: 1.9 })],
    ['the same names three segments behind', list(7, 6)],
    ['the same names far ahead', list(14, 6)],
    ['other times', list(11, 6, { clock: 5_000 })],
    ['other bytes', list(11, 6), { bytesDiffer: true }],
  ];
  for (const [name, text, options] of notShared) {
    test(`to an origin that merely counts alike is a discontinuity: ${name}`, () => {
      const bench = new Bench('A');
      bench.see(list(10, 6, { clock: 0 }));
      bench.now += 2000;
      bench.moveTo('B');
      assert.equal(bench.see(text, options), 'switched');
      assert.deepEqual(bench.checker.violations, []);
    });
  }

  test('says map and keys again, with the vector that the old numbers meant', () => {
    const bench = new Bench('A');
    const encrypted = { extra: '#EXT-X-KEY:METHOD=AES-128,URI="k.bin"\n#EXT-X-MAP:URI="i.mp4"\n' };
    bench.see(list(10, 6, encrypted));
    assert.doesNotMatch(bench.text, /IV=/);
    bench.now += 2000;
    bench.moveTo('B');
    bench.see(list(500, 6, { prefix: 'b', ...encrypted }));
    const vector = (505).toString(16).padStart(32, '0');
    assert.ok(
      bench.text.includes(
        `#EXT-X-DISCONTINUITY\n#EXT-X-KEY:METHOD=AES-128,URI="k.bin?weir=B",IV=0x${vector}\n#EXT-X-MAP:URI="i.mp4?weir=B"\n`,
      ),
      bench.text,
    );
    assert.deepEqual(bench.checker.violations, []);
  });

  test('from encrypted to clear ends the key, and a map that cannot be taken back leaves with its segments', () => {
    const bench = new Bench('A');
    bench.see(list(10, 6, { extra: '#EXT-X-KEY:METHOD=AES-128,URI="k.bin"\n' }));
    bench.moveTo('B');
    bench.see(list(500, 6, { prefix: 'b', extra: '#EXT-X-MAP:URI="i.mp4"\n' }));
    assert.match(bench.text, /#EXT-X-DISCONTINUITY\n#EXT-X-KEY:METHOD=NONE\n#EXT-X-MAP/);
    bench.moveTo('C');
    bench.see(list(900, 6, { prefix: 'c' }));
    assert.deepEqual(bench.uris, ['c905.ts?weir=C']);
    assert.match(bench.text, /#EXT-X-DISCONTINUITY-SEQUENCE:1\n/);
  });

  test('leaves out what nobody can fetch any more', () => {
    const bench = new Bench('A');
    bench.see(list(10, 6));
    bench.moveTo('B');
    bench.see(list(500, 6, { prefix: 'b' }), { lost: 's12' });
    assert.equal(bench.uris[0], 's13.ts?weir=A');
  });

  test('back to an origin lists nothing that it listed before', () => {
    const bench = new Bench('A');
    bench.see(list(10, 6));
    bench.moveTo('B');
    bench.see(list(500, 6, { prefix: 'b' }));
    bench.moveTo('A');
    assert.equal(bench.see(list(10, 6)), 'waiting');
    bench.now += 2000;
    assert.equal(bench.see(list(11, 6)), 'switched');
    assert.equal(bench.uris.at(-1), 's16.ts?weir=A');
    assert.deepEqual(bench.checker.violations, []);
  });

  test('an origin that was here before under other numbers shares nothing, however alike it looks', () => {
    const bench = new Bench('A');
    bench.see(list(3, 3));
    bench.now += 2000;
    bench.moveTo('B');
    bench.see(list(9, 3));
    bench.now += 8000;
    bench.moveTo('A');
    bench.see(list(8, 3));
    bench.moveTo('B');
    assert.equal(bench.see(list(9, 3)), 'waiting');
    assert.deepEqual(bench.checker.violations, []);
  });

  test('back to an origin that began anew is another life of it', () => {
    const bench = new Bench('A');
    bench.see(list(10, 6));
    bench.moveTo('B');
    bench.see(list(500, 6, { prefix: 'b' }));
    bench.moveTo('A');
    assert.equal(bench.see(list(0, 3)), 'restarted');
    assert.match(bench.uris.at(-1) ?? '', /s2\.ts\?weir=A\.n3$/);
    assert.deepEqual(bench.checker.violations, []);
  });

  test('carries parts and hints through', () => {
    const bench = new Bench('A');
    const tail =
      '#EXT-X-PART:DURATION=0.5,URI="p16.0.m4s"\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI="p16.1.m4s"\n' +
      '#EXT-X-RENDITION-REPORT:URI="b.m3u8",LAST-MSN=16,LAST-PART=0\n';
    bench.see(list(10, 6, { extra: '#EXT-X-PART-INF:PART-TARGET=0.5\n' }) + tail);
    assert.match(bench.text, /PART:DURATION=0.5,URI="p16.0.m4s\?weir=A"/);
    assert.match(bench.text, /HINT:TYPE=PART,URI="p16.1.m4s\?weir=A"/);
    assert.doesNotMatch(bench.text, /RENDITION-REPORT/);
  });
});

test('a delta update skips what is further from the end than the boundary, and says map and keys again', () => {
  const bench = new Bench('A');
  bench.see(list(0, 20, { extra: '#EXT-X-MAP:URI="i.mp4"\n#EXT-X-KEY:METHOD=AES-128,URI="k"\n' }));
  assert.ok(bench.window !== undefined);
  const text = withPlayerQuery(renderWindow(bench.window, 12), '');
  assert.match(
    text,
    /VERSION:9\n(?:.*\n)+#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-SKIP:SKIPPED-SEGMENTS=14\n#EXT-X-MAP.*\n#EXT-X-KEY.*\n#EXTINF:2.000,\ns14\.ts/,
  );
  assert.doesNotMatch(text, /s13\.ts/);
  const delta = parsePlaylist(text);
  assert.equal(delta.kind === 'media' ? delta.segments[0]?.sequence : undefined, 14);
});

test('a playlist whose origin has counted fewer discontinuities than another begins with a number that players can count', () => {
  const video = new Bench('A');
  video.see(list(10, 6));
  video.moveTo('B');
  video.see(list(500, 6, { extra: '#EXT-X-DISCONTINUITY-SEQUENCE:7\n', prefix: 'b' }));
  const audio = new Bench('B');
  audio.period = video.period;
  audio.see(list(500, 6, { before: () => '#EXT-X-DISCONTINUITY\n' }));
  const number = audio.window?.entries[0]?.discontinuitySequence;
  assert.equal(audio.checker.last?.segments[0]?.discontinuitySequence, number);
});

test('two playlists count their discontinuities alike, also when one sleeps through a switch', () => {
  const bench = new Bench('A');
  bench.see(list(10, 6));
  const other = new Bench('A');
  const share = (from: Bench, to: Bench) => {
    to.period = from.period;
    to.now = from.now;
  };
  share(bench, other);
  other.see(list(10, 6, { prefix: 'audio' }));
  share(other, bench);
  for (const [source, first] of [
    ['B', 500],
    ['C', 900],
  ] as const) {
    bench.now += 2000;
    bench.moveTo(source);
    bench.see(list(first, 6, { prefix: source }));
  }
  share(bench, other);
  other.see(list(900, 6, { prefix: 'audioC' }));
  const number = (of: Bench) => of.window?.entries.at(-1)?.discontinuitySequence;
  assert.equal(number(other), 2);
  assert.equal(number(bench), 2);
  assert.equal(other.window?.entries.at(-1)?.origin.sequence, bench.window?.entries.at(-1)?.origin.sequence);
  assert.deepEqual(other.checker.violations, []);
});

suite('a playlist that enters a period after another one', () => {
  /** The video has gone to B at its number 505, with three segments. */
  const after = (clock?: number) => {
    const video = new Bench('A');
    const options = clock === undefined ? {} : { clock };
    video.see(list(10, 6, options));
    video.now += 6000;
    video.moveTo('B');
    video.see(list(502, 6, { prefix: 'b', ...(clock === undefined ? {} : { clock: clock + 32_000 - 505 * 2000 }) }));
    assert.equal(video.period.splicePoint?.sequence, 505);
    const audio = new Bench('A');
    audio.now = video.now - 6000;
    audio.see(list(10, 6, { prefix: 'audio', ...options }));
    audio.period = video.period;
    audio.now = video.now;
    return audio;
  };
  const first = (bench: Bench) => bench.uris.find((uri) => uri.startsWith('c'));

  test('goes on at the same number where it counts alike', () => {
    const audio = after();
    audio.see(list(502, 6, { prefix: 'c' }));
    assert.equal(first(audio), 'c505.ts?weir=B');
    assert.deepEqual(audio.checker.violations, []);
  });

  test('goes on by time where it counts otherwise, though it lists that number', () => {
    const audio = after();
    // Its 505 is the newest but ten: it would repeat 14 s.
    audio.see(list(504, 12, { prefix: 'c' }));
    assert.equal(first(audio), 'c513.ts?weir=B');
    assert.deepEqual(audio.checker.violations, []);
  });

  test('goes on by the clock where its number is of another time', () => {
    const clock = Date.UTC(2026, 0, 1);
    const audio = after(clock);
    // Its 503 is what the video calls 505.
    audio.see(list(500, 6, { prefix: 'c', clock: clock + 32_000 - 503 * 2000 }));
    assert.equal(first(audio), 'c503.ts?weir=B');
    assert.deepEqual(audio.checker.violations, []);
  });

  test('begins by the clock when it is new', () => {
    const clock = Date.UTC(2026, 0, 1);
    const { period, now } = after(clock);
    const subtitles = new Bench('B');
    subtitles.period = period;
    subtitles.now = now;
    subtitles.see(list(505, 6, { prefix: 'c', clock: clock + 32_000 - 509 * 2000 }));
    assert.equal(subtitles.uris[0], 'c509.ts?weir=B');
  });
});

/** An origin that packages on its own: grows, restarts, lags, flips its target duration. */
class SimulatedOrigin {
  incarnation = 0;
  #first = 0;
  #segments: { durationSeconds: number; discontinuity: boolean; content: string }[] = [];
  readonly #name: string;
  readonly #size: number;
  readonly #naming: 'by number' | 'unique';
  readonly #clock: number | undefined;
  #time = 0;
  #target = 2;
  ended = false;
  before: string | undefined;

  constructor(name: string, first: number, size: number, naming: 'by number' | 'unique', clock: number | undefined) {
    this.#name = name;
    this.#first = first;
    this.#size = size;
    this.#naming = naming;
    this.#clock = clock;
  }

  grow(durationSeconds: number, discontinuity: boolean): void {
    this.before = this.#segments.length > 0 ? this.render() : undefined;
    const number = this.#first + this.#segments.length;
    this.#segments.push({ durationSeconds, discontinuity, content: `${this.#name}-${this.incarnation}-${number}` });
    this.#time += durationSeconds;
    this.#target = Math.max(2, Math.ceil(durationSeconds));
    while (this.#segments.length > this.#size) {
      this.#segments.shift();
      this.#first += 1;
    }
  }

  restart(first: number): void {
    this.incarnation += 1;
    this.#first = first;
    this.#segments = [];
    this.before = undefined;
    this.ended = false;
  }

  render(): string {
    // As SRS does: the target duration follows what is listed, and discontinuities that left are not counted.
    const target = Math.max(this.#target, ...this.#segments.map((segment) => Math.ceil(segment.durationSeconds)));
    const lines = ['#EXTM3U', `#EXT-X-TARGETDURATION:${target}`, `#EXT-X-MEDIA-SEQUENCE:${this.#first}`];
    let time = this.#time - this.#segments.reduce((sum, { durationSeconds }) => sum + durationSeconds, 0);
    for (const [index, segment] of this.#segments.entries()) {
      if (segment.discontinuity) lines.push('#EXT-X-DISCONTINUITY');
      if (this.#clock !== undefined) {
        lines.push(`#EXT-X-PROGRAM-DATE-TIME:${new Date(this.#clock + time * 1000).toISOString()}`);
      }
      const name = this.#naming === 'unique' ? segment.content : String(this.#first + index);
      lines.push(`#EXTINF:${segment.durationSeconds.toFixed(3)},`, `${name}.ts`);
      time += segment.durationSeconds;
    }
    if (this.ended) lines.push('#EXT-X-ENDLIST');
    return `${lines.join('\n')}\n`;
  }

  get isEmpty(): boolean {
    return this.#segments.length === 0;
  }
}

const operation = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('live' as const),
      durationSeconds: fc.constantFrom(1, 1.5, 2, 2, 2, 2, 2.4),
      discontinuity: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('switch' as const), to: fc.nat(3) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('restart' as const), origin: fc.nat(3), first: fc.nat(40) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('stale' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('silent' as const), milliseconds: fc.nat(60_000) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('clock' as const), step: fc.integer({ min: -1e7, max: 1e7 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('end' as const), origin: fc.nat(3) }) },
);

const origin = fc.record({
  first: fc.nat(1000),
  size: fc.integer({ min: 3, max: 8 }),
  naming: fc.constantFrom('by number' as const, 'unique' as const),
  clock: fc.option(fc.integer({ min: 1e12, max: 1e12 + 20_000 }), { nil: undefined }),
});

test('whatever origins do, the rules for live playlists hold', () => {
  const property = fc.property(
    fc.array(origin, { minLength: 4, maxLength: 4 }),
    fc.array(operation, { minLength: 10, maxLength: 80 }),
    (settings, operations) => {
      const origins = settings.map(
        ({ first, size, naming, clock }, index) => new SimulatedOrigin('ABCD'[index] ?? '', first, size, naming, clock),
      );
      for (const one of origins) for (let count = 0; count < 6; count++) one.grow(2, false);
      const bench = new Bench('0');
      let current = 0;
      const at = (index: number) => origins[index] as SimulatedOrigin;
      for (const step of operations) {
        if (step.kind === 'live') {
          bench.now += step.durationSeconds * 1000;
          for (const one of origins) if (!one.ended) one.grow(step.durationSeconds, step.discontinuity);
        } else if (step.kind === 'switch') {
          if (step.to !== current) bench.moveTo(String(step.to));
          current = step.to;
        } else if (step.kind === 'restart') {
          at(step.origin).restart(step.first);
          at(step.origin).grow(2, false);
        } else if (step.kind === 'silent') bench.now += step.milliseconds;
        else if (step.kind === 'clock') bench.now += step.step;
        else if (step.kind === 'end') at(step.origin).ended = true;
        const { before } = at(current);
        const text = step.kind === 'stale' && before !== undefined ? before : at(current).render();
        bench.see(text, { allowEnd: false });
      }
      assert.deepEqual(bench.checker.violations, []);
    },
  );
  fc.assert(property, { numRuns: runs(25, 3000), includeErrorInReport: true });
});

test('whatever origins do, all playlists have one discontinuity sequence number for the same content of a period', () => {
  const polls = fc.array(fc.constantFrom('video' as const, 'audio' as const, 'both' as const), {
    minLength: 1,
    maxLength: 3,
  });
  const moment = fc.record({
    polls,
    // Mostly nothing happens besides.
    event: fc.oneof(
      { weight: 6, arbitrary: fc.constant(undefined) },
      { weight: 2, arbitrary: fc.record({ switchTo: fc.nat(2) }) },
      { weight: 1, arbitrary: fc.record({ restart: fc.nat(2) }) },
    ),
  });
  const property = fc.property(fc.array(moment, { minLength: 5, maxLength: 40 }), (moments) => {
    const origins = [100, 500, 900].map((first, index) => {
      const origin = new SimulatedOrigin('ABC'[index] ?? '', first, 6, 'unique', undefined);
      for (let count = 0; count < 6; count++) origin.grow(2, false);
      return origin;
    });
    const [video, audio] = [new Bench('0'), new Bench('0')];
    const numbers = new Map<string, number>();
    let current = 0;
    const poll = (bench: Bench, other: Bench) => {
      // The session hands what one playlist decided to the other.
      bench.now = Math.max(bench.now, other.now);
      bench.see(origins[current]?.render() ?? '', { allowEnd: false });
      other.period = bench.period;
      for (const { target, discontinuitySequence, numbering } of bench.window?.entries ?? []) {
        const content = `${target.split('?', 1)[0]} in period ${numbering}`;
        const known = numbers.get(content);
        assert.equal(discontinuitySequence, known ?? discontinuitySequence, `${content} in ${bench.text}`);
        numbers.set(content, discontinuitySequence);
      }
      assert.deepEqual(bench.checker.violations, []);
    };
    for (const { event, polls: asked } of moments) {
      for (const origin of origins) origin.grow(2, false);
      video.now += 2000;
      if (event !== undefined && 'switchTo' in event && event.switchTo !== current) {
        current = event.switchTo;
        video.moveTo(String(current));
        audio.period = video.period;
      } else if (event !== undefined && 'restart' in event) {
        origins[event.restart]?.restart(0);
        origins[event.restart]?.grow(2, false);
      }
      for (const which of asked) {
        if (which !== 'audio') poll(video, audio);
        if (which !== 'video') poll(audio, video);
      }
    }
  });
  fc.assert(property, { numRuns: runs(12, 1500), includeErrorInReport: true });
});

test('a window keeps what it lists, and nothing else of the playlists that listed it', () => {
  const bench = new Bench('a');
  // A tag that players do not get.
  const ballast = `#EXT-X-RENDITION-REPORT:URI="${'x'.repeat(4096)}"\n`.repeat(256);
  const heap = () => {
    collectGarbage();
    return process.memoryUsage().heapUsed;
  };
  const list = (first: number) => {
    const lines = [0, 1, 2, 3, 4, 5].map((index) => {
      const number = first + index;
      return `#EXT-X-KEY:METHOD=AES-128,URI="a-key-with-a-long-name-${number}.key"\n#EXTINF:2.000,title ${number}\na-segment-with-a-long-name-${number}.ts\n`;
    });
    // Read as from a socket: its strings are cut from one text.
    const head = `#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:${first}\n`;
    return Buffer.from(`${head}${lines.join('')}${ballast}\n`).toString();
  };
  const windows: unknown[] = [];
  bench.see(list(0));
  const before = heap();
  for (let number = 1; number <= 20; number += 1) {
    bench.see(list(number));
    windows.push(bench.window?.entries.at(-1));
  }
  assert.ok(heap() - before < 5 * 1024 * 1024, 'not the 20 MiB of all texts');
  assert.equal(windows.length, 20);
});
