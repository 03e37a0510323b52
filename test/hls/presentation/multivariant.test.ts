// Multivariant playlists for players, also those that no honest origin would list.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WeirError } from '../../../src/errors.js';
import { playlistLimits } from '../../../src/hls/playlist/limits.js';
import { parsePlaylist } from '../../../src/hls/playlist/parser.js';
import { maxMultivariantChars, renderMultivariant } from '../../../src/hls/presentation/multivariant.js';

/** Leads every URI to one of that many characters. */
const multivariant = (variants: number, length: number) => {
  const playlist = parsePlaylist(`#EXTM3U\n${'#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8\n'.repeat(variants)}`);
  assert.equal(playlist.kind, 'multivariant');
  if (playlist.kind !== 'multivariant') throw new Error('unreachable');
  const led = 'v'.repeat(length);
  return renderMultivariant(playlist, '.m3u8', () => ({ uri: led, target: led, variable: false }));
};

test('a multivariant playlist of as many variants as are read is led through the edge', () => {
  assert.equal(multivariant(playlistLimits.variants, 100).match(/^v{100}$/gm)?.length, playlistLimits.variants);
});

test('a multivariant playlist is refused when the path of a player would make it long beyond measure', () => {
  const length = Math.ceil(maxMultivariantChars / playlistLimits.variants) + 1;
  assert.throws(
    () => multivariant(playlistLimits.variants, length),
    (error) => error instanceof WeirError && error.code === 'upstream_bad_response',
  );
});
