import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Splicer } from '../../../src/relay/flv/splicer.js';
import { type FlvTag, readTag } from '../../../src/relay/flv/tag.js';

const make = (type: number, timestamp: number, ...body: number[]): FlvTag => {
  const tag = readTag(type, timestamp, Buffer.from(body));
  assert.ok(tag);
  return tag;
};
const header = (value: number, at = 0) => make(9, at, 0x17, 0, 0, 0, 0, value);
const key = (at: number) => make(9, at, 0x17, 1, 0, 0, 0);
const inter = (at: number) => make(9, at, 0x27, 1, 0, 0, 0);
const sound = (at: number) => make(8, at, 0xaf, 1, 0);
const text = (at: number) => make(18, at, 2, 0, 1, 0x78);
const metadata = (value: number) => make(18, 0, 2, 0, 10, ...Buffer.from('onMetaData'), value);

const arrival = (headers: FlvTag[], tags: FlvTag[], previous: FlvTag[] = []) => ({ headers, tags, previous });

class Clock {
  now = 0;
  readonly jumps: string[] = [];
  readonly splicer = new Splicer(
    () => this.now,
    (direction) => this.jumps.push(direction),
  );
  /** What comes out, as timestamps; `-` for what is left out. */
  accept(...tags: FlvTag[]): (number | '-')[] {
    return tags.map((tag) => this.splicer.accept(tag)?.timestamp ?? '-');
  }
}

test('a first pull goes through as it is', () => {
  const clock = new Clock();
  assert.equal(clock.splicer.begin(arrival([metadata(1), header(1)], [key(5_000)])).headers.length, 2);
  assert.deepEqual(clock.accept(key(5_000), sound(5_010), inter(5_040)), [5_000, 5_010, 5_040]);
});

test('a header that viewers have is left out, a changed one goes on at the current time', () => {
  const clock = new Clock();
  clock.splicer.begin(arrival([header(1)], [key(5_000)]));
  assert.deepEqual(clock.accept(key(5_000), header(1), inter(5_040), header(2), key(5_080)), [
    5_000,
    '-',
    5_040,
    5_040,
    5_080,
  ]);
});

test('metadata is sent with changed headers only', () => {
  const clock = new Clock();
  clock.splicer.begin(arrival([metadata(1), header(1)], [key(0)]));
  clock.accept(key(0));
  assert.deepEqual(clock.splicer.begin(arrival([metadata(2), header(1)], [key(0)])).headers, []);
  clock.accept(key(0));
  assert.deepEqual(
    clock.splicer.begin(arrival([metadata(3), header(2)], [key(0)])).headers.map((tag) => tag.slot),
    ['metadata', 'video'],
  );
});

test('after a step back while the camera is off, the sound goes on', () => {
  const clock = new Clock();
  clock.splicer.begin(arrival([header(1)], [key(90_000)]));
  clock.accept(key(90_000));
  for (let at = 90_000; at < 93_000; at += 20) {
    clock.now = at;
    clock.accept(sound(at));
  }
  assert.deepEqual(
    clock.accept(sound(0), sound(20)).map((at) => at === '-'),
    [false, false],
  );
  assert.deepEqual(clock.jumps, ['back']);
});

test('script data is given the current time, since its own is often 0', () => {
  const clock = new Clock();
  clock.splicer.begin(arrival([], [key(5_000)]));
  assert.deepEqual(clock.accept(key(5_000), text(0), inter(5_040)), [5_000, 5_000, 5_040]);
});

test('after a step back everything waits for the next keyframe', () => {
  const clock = new Clock();
  clock.splicer.begin(arrival([], [key(90_000)]));
  clock.accept(key(90_000), sound(90_010));
  clock.now = 100;
  assert.deepEqual(clock.accept(inter(40), sound(50), key(80), sound(85), inter(120)), [
    '-',
    '-',
    90_101,
    90_106,
    90_141,
  ]);
  assert.deepEqual(clock.jumps, ['back']);
});

test('audio alone needs no keyframe to go on', () => {
  const clock = new Clock();
  clock.splicer.begin(arrival([], []));
  clock.accept(sound(90_000), sound(90_023));
  clock.now = 23;
  assert.deepEqual(clock.accept(sound(0), sound(23)), [90_046, 90_069]);
  clock.splicer.begin(arrival([], []));
  clock.now = 46;
  assert.deepEqual(clock.accept(sound(7_000)), [90_092]);
});

describe('a track that pauses while the other goes on costs no frame and moves no clock', () => {
  const range = (from: number, to: number, step: number, tag: (at: number) => FlvTag) =>
    Array.from({ length: Math.ceil((to - from) / step) }, (_, index) => tag(from + index * step));
  const picture = (at: number) => (at % 2_000 === 0 ? key(at) : inter(at));
  const cases: [string, FlvTag[]][] = [
    [
      'camera off',
      [...range(0, 3_000, 40, picture), ...range(7_000, 9_000, 40, picture), ...range(0, 9_000, 23, sound)],
    ],
    [
      'microphone off',
      [...range(0, 9_000, 40, picture), ...range(0, 3_000, 23, sound), ...range(8_000, 9_000, 23, sound)],
    ],
    ['a slide every 5 s', [...range(0, 60_000, 5_000, key), ...range(0, 60_000, 23, sound)]],
    [
      'both off, one after the other',
      [
        ...range(0, 4_000, 40, picture),
        ...range(8_000, 9_000, 40, picture),
        ...range(0, 3_900, 23, sound),
        ...range(7_500, 9_000, 23, sound),
      ],
    ],
  ];
  for (const [what, unsorted] of cases) {
    test(what, () => {
      const tags = unsorted.sort((a, b) => a.timestamp - b.timestamp || b.type - a.type);
      const clock = new Clock();
      clock.splicer.begin(arrival([header(1)], tags.slice(0, 1)));
      const out = tags.flatMap((tag) => {
        clock.now = tag.timestamp;
        return clock.accept(tag);
      });
      assert.deepEqual(
        out,
        tags.map(({ timestamp }) => timestamp),
      );
      assert.deepEqual(clock.jumps, []);
    });
  }
});

/** A frame that no other one looks like. */
const unique = (number: number, at: number) =>
  make(9, at, number % 10 === 0 ? 0x17 : 0x27, 1, 0, 0, 0, number >> 8, number & 0xff, 7, 7, 7);
test('a header that another pull did not have is given again when it is back', () => {
  const clock = new Clock();
  const aac = make(8, 0, 0xaf, 0, 0x12, 0x10);
  const slots = (headers: FlvTag[], at: number) => {
    const begun = clock.splicer.begin(arrival(headers, [unique(at, at)]));
    assert.equal(begun.seamless, false);
    clock.accept(...begun.tags);
    return begun.headers.map(({ slot }) => slot);
  };
  assert.deepEqual(slots([header(1), aac], 0), ['video', 'audio']);
  assert.deepEqual(slots([header(1)], 40), []);
  assert.deepEqual(slots([header(1), aac], 80), ['audio']);
});

const frames = (from: number, to: number, offset: number) =>
  Array.from({ length: to - from }, (_, index) => unique(from + index, (from + index) * 40 + offset));

test('a pull whose frames viewers have goes on with the next one, on the old clock', () => {
  for (const [what, from, to, previousFrom] of [
    ['all of its group is known', 20, 25, 20],
    ['its group goes beyond what is known', 20, 29, 20],
    ['its previous group is known', 30, 33, 20],
    ['only its first frame is known', 20, 23, 20],
  ] as const) {
    const clock = new Clock();
    const given = what.startsWith('only') ? 21 : 28;
    clock.splicer.begin(arrival([header(1)], [unique(0, 0)]));
    clock.accept(...frames(0, given, 0));
    const group = frames(from, to, 700_000);
    const known = arrival([header(1)], group, frames(previousFrom, from, 700_000));
    assert.ok(clock.splicer.recognises(known), what);
    const { tags, headers, seamless } = clock.splicer.begin(known);
    assert.deepEqual([headers, seamless], [[], true], what);
    const all = [...tags, ...frames(to, to + 12, 700_000)];
    const next = all.flatMap((tag) => clock.splicer.accept(tag) ?? []);
    const expected = frames(given, to + 12, 0).map((tag) => tag.timestamp);
    assert.deepEqual(
      next.map((tag) => tag.timestamp),
      expected,
      what,
    );
  }
});

test('frames that look alike but lie elsewhere in time are not taken for the same', () => {
  const clock = new Clock();
  clock.splicer.begin(arrival([header(1)], [unique(0, 0)]));
  clock.accept(...frames(0, 200, 0));
  assert.ok(!clock.splicer.recognises(arrival([header(1)], frames(50, 55, 0))));
  assert.ok(!clock.splicer.recognises(arrival([header(1)], frames(1000, 1005, 0))));
});
