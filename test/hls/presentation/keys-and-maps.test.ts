// Keys and initialisation sections, as players see them across reloads and switches.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bench, list } from '../../support/bench.js';

const map = '#EXT-X-MAP:URI="i.mp4"\n';
const key = (uri: string, more = '') => `#EXT-X-KEY:METHOD=AES-128,URI="${uri}"${more}\n`;
const fairPlay = '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://f",KEYFORMAT="com.apple"\n';

/** The lines about keys and maps, and where segments stand. */
const sketch = (bench: Bench) =>
  bench.text
    .split('\n')
    .filter((line) => /^(#EXT-X-(KEY|MAP|DISC.*Y$)|[^#])/.test(line))
    .map((line) => line.replace(/^#EXT-X-/, '').replace(/\?weir=\w+/, ''));

test('an initialisation section in the clear stays so: it is said before the keys of its segments', () => {
  const bench = new Bench('A');
  bench.see(list(10, 2, { extra: map + key('k', ',IV=0x1') }));
  assert.deepEqual(sketch(bench), ['MAP:URI="i.mp4"', 'KEY:METHOD=AES-128,URI="k",IV=0x1', 's10.ts', 's11.ts']);
  bench.moveTo('B');
  bench.see(list(510, 1, { extra: key('b', ',IV=0x2') + map + key('c', ',IV=0x3'), prefix: 'b' }));
  assert.deepEqual(sketch(bench).slice(4), [
    'DISCONTINUITY',
    'KEY:METHOD=AES-128,URI="b",IV=0x2',
    'MAP:URI="i.mp4"',
    'KEY:METHOD=AES-128,URI="c",IV=0x3',
    'b510.ts',
  ]);
  assert.deepEqual(bench.checker.violations, []);
});

test('an encrypted one keeps its key when the key of the segments has changed and its first segments have left', () => {
  const bench = new Bench('A');
  const rotated = (sequence: number) => (sequence === 12 ? key('k2', ',IV=0x2') : '');
  for (let first = 10; first < 14; first += 1) {
    const keyed = key('k1', ',IV=0x1');
    bench.see(list(first, 3, { target: 1, duration: 1, extra: keyed + map, before: rotated }).replaceAll(/^$/gm, ''));
    bench.now += 1000;
    if (first > 12) break;
  }
  assert.deepEqual(sketch(bench).slice(0, 2), ['KEY:METHOD=AES-128,URI="k1",IV=0x1', 'MAP:URI="i.mp4"']);
  assert.deepEqual(bench.checker.violations, []);
});

test('an encrypted map before segments in the clear ends its key', () => {
  const bench = new Bench('A');
  bench.see(list(10, 1, { extra: `${key('k', ',IV=0x1')}${map}#EXT-X-KEY:METHOD=NONE\n` }));
  assert.deepEqual(sketch(bench), [
    'KEY:METHOD=AES-128,URI="k",IV=0x1',
    'MAP:URI="i.mp4"',
    'KEY:METHOD=NONE',
    's10.ts',
  ]);
});

test('a key of another format ends with NONE, since none of its own format follows', () => {
  const bench = new Bench('A');
  const before = (sequence: number) => (sequence === 11 ? `#EXT-X-KEY:METHOD=NONE\n${key('k2', ',IV=0x2')}` : '');
  bench.see(list(10, 2, { extra: key('k', ',IV=0x1') + fairPlay, before }));
  assert.deepEqual(sketch(bench), [
    'KEY:METHOD=AES-128,URI="k",IV=0x1',
    'KEY:METHOD=SAMPLE-AES,URI="skd://f",KEYFORMAT="com.apple"',
    's10.ts',
    'KEY:METHOD=NONE',
    'KEY:METHOD=AES-128,URI="k2",IV=0x2',
    's11.ts',
  ]);
});

test('a key that only changes its vector needs no NONE', () => {
  const bench = new Bench('A');
  bench.see(list(10, 2, { before: (sequence) => key('k', `,IV=0x${sequence}`) }));
  assert.doesNotMatch(bench.text, /NONE/);
});

test('keys and maps behind the last segment lead to the edge like all others', () => {
  const bench = new Bench('A');
  bench.see(list(10, 2, { prefix: 'a' }));
  bench.now += 2000;
  bench.moveTo('B');
  bench.see(`${list(500, 2)}#EXT-X-KEY:METHOD=NONE\n${key('k')}#EXT-X-MAP:URI="i.mp4"\n`);
  const vector = (502).toString(16).padStart(32, '0');
  assert.ok(
    bench.text.endsWith(
      `#EXT-X-KEY:METHOD=NONE\n#EXT-X-KEY:METHOD=AES-128,URI="k?weir=B",IV=0x${vector}\n#EXT-X-MAP:URI="i.mp4?weir=B"\n`,
    ),
    bench.text,
  );
});

test('a byte range that is none is not asked for', () => {
  const bench = new Bench('A');
  const ranges = ['"1@0"', '"0@5"', '"x"', '"9007199254740993@1"', '"5"'];
  const text = list(10, ranges.length, { before: (n) => `#EXT-X-MAP:URI="i.mp4",BYTERANGE=${ranges[n - 10]}\n` });
  bench.see(text);
  assert.deepEqual(
    bench.window?.entries.map(({ needs }) => needs[0]?.range),
    ['bytes=0-0', undefined, undefined, undefined, 'bytes=0-4'],
  );
});
