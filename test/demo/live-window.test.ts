import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { liveWindow, renderPlaylist } from '../../src/demo/live-window.js';

const uri = (sequence: number) => `news-${sequence}.ts`;

test('only complete segments are listed', () => {
  assert.deepEqual(liveWindow(0, 2, 3), { first: 0, end: 0 });
  assert.deepEqual(liveWindow(1.999, 2, 3), { first: 0, end: 0 });
  assert.deepEqual(liveWindow(2, 2, 3), { first: 0, end: 1 });
  assert.deepEqual(liveWindow(9.5, 2, 3), { first: 1, end: 4 });
  assert.deepEqual(liveWindow(-1, 2, 3), { first: 0, end: 0 });
});

test('a playlist names its segments, their length and the number of the first', () => {
  assert.equal(
    renderPlaylist({ first: 1, end: 3 }, 2, 100, uri),
    [
      '#EXTM3U',
      '#EXT-X-VERSION:3',
      '#EXT-X-TARGETDURATION:2',
      '#EXT-X-MEDIA-SEQUENCE:101',
      '#EXT-X-INDEPENDENT-SEGMENTS',
      '#EXTINF:2.000,',
      'news-101.ts',
      '#EXTINF:2.000,',
      'news-102.ts',
      '',
    ].join('\n'),
  );
});

test('as time goes on the sequence never goes back and a number keeps its URI', () => {
  const numbers = (text: string) => {
    const first = Number(/MEDIA-SEQUENCE:(\d+)/.exec(text)?.[1]);
    return new Map((text.match(/^news-.*$/gm) ?? []).map((line, i) => [first + i, line]));
  };
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 1e6, noNaN: true }),
      fc.double({ min: 0, max: 30, noNaN: true }),
      (at, step) => {
        const before = numbers(renderPlaylist(liveWindow(at, 2, 6), 2, 7, uri));
        const after = numbers(renderPlaylist(liveWindow(at + step, 2, 6), 2, 7, uri));
        const [first = 0] = before.keys();
        const [later = first] = after.keys();
        assert.ok(later >= first);
        for (const [number, line] of after) assert.equal(line, before.get(number) ?? line);
      },
    ),
  );
});
