import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { TagType } from '../../../src/relay/flv/tag.js';
import { TagTimeline } from '../../../src/relay/flv/timeline.js';

const audio: TagType = 8;
const video: TagType = 9;
/** Frames of a source: video every 40 ms, audio every 23 ms, from `start` for `length` ms; audio a little behind. */
function frames(start: number, length: number): { type: TagType; timestamp: number; at: number }[] {
  const all: { type: TagType; timestamp: number; at: number }[] = [];
  for (let at = 0; at < length; at += 40) all.push({ type: video, timestamp: (start + at) >>> 0, at });
  for (let at = -10; at < length; at += 23) all.push({ type: audio, timestamp: (start + at) >>> 0, at });
  return all.sort((a, b) => a.at - b.at);
}
const play = (timeline: TagTimeline, list: readonly { type: TagType; timestamp: number }[]) =>
  list.flatMap(({ type, timestamp }) => {
    const out = timeline.map(type, timestamp);
    return out === undefined ? [] : [{ type, out }];
  });
const fromKeyframe = (list: ReturnType<typeof frames>) => list.slice(list.findIndex((frame) => frame.type === video));

test('the first source keeps its own timestamps', () => {
  const list = frames(3_600_000, 1000);
  assert.deepEqual(
    play(new TagTimeline(), list),
    list.map(({ type, timestamp }) => ({ type, out: timestamp })),
  );
});

test('after a splice each track goes on without a step back and without a gap beyond what was lost', () => {
  const starts = [0, 1_000_000, 0xffff_ff00, 77];
  for (const oldStart of [5_000, 0xffff_fe00]) {
    for (const start of starts) {
      for (const [lost, lead] of [
        [0, 0],
        [800, 0],
        [800, 500],
        [200, 2000],
        [0, 2000],
      ] as const) {
        const timeline = new TagTimeline();
        const before = play(timeline, frames(oldStart, 2000));
        timeline.splice(video, start, lost, lead);
        const after = play(timeline, fromKeyframe(frames(start, 2000)));
        for (const type of [audio, video]) {
          const last = before.findLast((frame) => frame.type === type)?.out ?? 0;
          const next = after.filter((frame) => frame.type === type).map((frame) => (frame.out - last) | 0);
          const what = `${oldStart} -> ${start}, lost ${lost}, lead ${lead}, track ${type}: ${next[0]}`;
          assert.ok((next[0] ?? 0) > 0 && (next[0] ?? 0) <= lost + 80, what);
          assert.ok(
            next.every((at, index) => index === 0 || at > (next[index - 1] ?? 0)),
            what,
          );
        }
      }
    }
  }
});

test('a new source that brings its past along catches up with the time lost', () => {
  const timeline = new TagTimeline();
  const edge = play(timeline, frames(0, 2000)).at(-1)?.out ?? 0;
  // 1.5 s without a tag; the new origin sends 1 s from its cache, so 0.5 s is really lost.
  timeline.splice(video, 500_000, 1500, 1000);
  assert.equal(timeline.map(video, 500_000), edge + 500);
});

test('small steps back are held, not passed on', () => {
  const timeline = new TagTimeline();
  assert.deepEqual(
    [100, 140, 120, 180].map((timestamp) => timeline.map(video, timestamp)),
    [100, 140, 140, 180],
  );
});

test('a source that restarts its clock is recognised, a hole or a wrap is not mistaken for it', () => {
  const cases: [number, number, number, 'back' | 'forward' | undefined][] = [
    [10_000, 10_040, 40, undefined],
    [10_000, 9_900, 40, undefined],
    [10_000, 0, 40, 'back'],
    [10_000, 9_000, 40, 'back'],
    [10_000, 12_000, 40, undefined],
    [10_000, 25_000, 15_000, undefined],
    [10_000, 25_000, 40, 'forward'],
    [0xffff_fff0, 24, 40, undefined],
    [24, 0xffff_0000, 40, 'back'],
    [0x7fff_fff0, 0x8000_0018, 40, undefined],
  ];
  for (const [before, timestamp, elapsed, expected] of cases) {
    const timeline = new TagTimeline();
    timeline.map(video, before);
    assert.equal(timeline.jump(video, timestamp, elapsed), expected, `${before} -> ${timestamp}`);
  }
});

test('a track that was not there before simply begins', () => {
  const timeline = new TagTimeline();
  timeline.map(audio, 5_000);
  assert.equal(timeline.jump(video, 90_000, 0), undefined);
  timeline.splice(video, 100, 0, 0);
  assert.equal(timeline.map(video, 100), 5_000);
  assert.equal(timeline.map(audio, 120), 5_020);
});

test('a track that comes back half a circle of the clock later is not told to step back', () => {
  const timeline = new TagTimeline();
  timeline.map(audio, 0);
  timeline.map(video, 0x2000_0000);
  timeline.splice(video, 0, 0, 0);
  const picture = timeline.map(video, 0) ?? 0;
  const sound = timeline.map(audio, 0x8000_0000 - picture) ?? 0;
  assert.ok((sound | 0) >= 0, `0 -> ${sound}`);
});

test('whatever sources do, no track ever steps back', () => {
  const source = fc.record({
    start: fc.nat(0xffffffff),
    lost: fc.nat(20_000),
    lead: fc.nat(10_000),
    steps: fc.array(fc.record({ type: fc.constantFrom(audio, video), step: fc.integer({ min: -200, max: 400 }) }), {
      maxLength: 30,
    }),
  });
  fc.assert(
    fc.property(fc.array(source, { maxLength: 8 }), (sources) => {
      const timeline = new TagTimeline();
      const last = new Map<TagType, number>();
      for (const { start, lost, lead, steps } of sources) {
        timeline.splice(video, start, lost, lead);
        let timestamp = start;
        for (const { type, step } of steps) {
          timestamp = (timestamp + step) >>> 0;
          const out = timeline.map(type, timestamp);
          if (out === undefined) continue;
          const before = last.get(type);
          if (before !== undefined) assert.ok(((out - before) | 0) >= 0, `${before} -> ${out}`);
          last.set(type, out);
        }
      }
    }),
    { numRuns: 1000 },
  );
});
