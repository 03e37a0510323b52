import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { mergeAttributes, parseAttributes, setAttribute } from '../../../src/hls/playlist/attributes.js';
import { playlistLimits } from '../../../src/hls/playlist/limits.js';
import { parsePlaylist } from '../../../src/hls/playlist/parser.js';
import { assertLinear } from '../../support/linear.js';

suite('the worst text an origin can make is read in time that grows with its length', () => {
  const head = '#EXTM3U\n#EXT-X-TARGETDURATION:4\n';
  const fill = (piece: (index: number) => string, size: number) => {
    const pieces: string[] = [];
    for (let length = 0; length < size; length += pieces.at(-1)?.length ?? 0) pieces.push(piece(pieces.length));
    return pieces.join('');
  };
  const attributeLists: [name: string, piece: string, before?: string][] = [
    ['blanks before a quote', ' ', 'A='],
    ['blanks before a name', ' '],
    ['a name without an end', 'A'],
    ['text without an end', 'x', 'A='],
    ['a quote without an end', 'x', 'A="'],
    ['blanks behind a quote', ' ', 'A="x"'],
    ['many attributes', 'A=1,'],
    ['commas', ',', 'A='],
  ];
  for (const [name, piece, before = ''] of attributeLists) {
    const make = (size: number) => `${before}${piece.repeat(size / piece.length)}"`;
    test(`attributes: ${name}`, () => {
      assertLinear(make, (text) => parseAttributes(text));
      assertLinear(make, (text) => setAttribute(text, 'B', '1'));
      assertLinear(make, (text) => mergeAttributes(text, text));
    });
  }

  const texts: [name: string, make: (size: number) => string][] = [
    ['one line', (size) => `#EXTM3U\n#${'x'.repeat(size)}`],
    ['blank lines', (size) => `#EXTM3U\n${'\n'.repeat(size)}`],
    ['carriage returns', (size) => `#EXTM3U\n${'\r'.repeat(size)}`],
    ['blanks in a line', (size) => `#EXTM3U\n${' '.repeat(size)}x`],
    ['blanks in a number', (size) => `#EXTM3U\n#EXT-X-TARGETDURATION:${' '.repeat(size)}x`],
    ['digits', (size) => `#EXTM3U\n#EXT-X-TARGETDURATION:${'1'.repeat(size)}`],
    ['a date of parentheses', (size) => `${head}#EXT-X-PROGRAM-DATE-TIME:${'('.repeat(size)}\n#EXTINF:1,\na\n`],
    ['tags nobody knows', (size) => head + fill((index) => `#EXT-X-${index}\n`, size)],
    ['tags of one segment', (size) => `${head}${fill(() => '#EXT-X-GAP\n', size)}#EXTINF:1,\na\n`],
    ['header tags', (size) => head + fill(() => '#EXT-X-START:TIME-OFFSET=0\n', size)],
    ['segments of no duration', (size) => head + fill(() => '#EXTINF:0,\na\n', size)],
    ['keys of many formats', (size) => head + fill((index) => `#EXT-X-KEY:METHOD=X,KEYFORMAT="${index}"\n`, size)],
    ['a key for each segment', (size) => head + fill(() => '#EXT-X-KEY:METHOD=X,URI="k"\n#EXTINF:1,\na\n', size)],
    ['date ranges', (size) => head + fill((index) => `#EXT-X-DATERANGE:ID="${index}"\n`, size)],
    ['parts', (size) => head + fill(() => '#EXT-X-PART:URI="p"\n', size)],
    ['byte ranges', (size) => head + fill((index) => `#EXTINF:1,\n#EXT-X-BYTERANGE:1@${index}\na\n`, size)],
    ['variants', (size) => `#EXTM3U\n${fill(() => '#EXT-X-STREAM-INF:BANDWIDTH=1\nv\n', size)}`],
  ];
  // Nothing is bounded here: the time must not depend on the bounds.
  const limits = Object.fromEntries(Object.keys(playlistLimits).map((name) => [name, 1e9]));
  const unbounded = { ...playlistLimits, ...limits, keys: playlistLimits.keys };
  for (const [name, make] of texts) {
    test(`a playlist: ${name}`, () => {
      assertLinear(make, (text) => {
        try {
          parsePlaylist(text, unbounded);
        } catch (error) {
          // Read to the end, or at least as far as the worst of it.
          assert.match(
            String(error),
            /PlaylistError: (malformed|no EXT-X-TARGETDURATION|segment without|too many keys)/,
          );
        }
      });
    });
  }
});
