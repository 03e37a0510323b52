// Masters for players, also those that no honest origin would list.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WeirError } from '../../../src/errors.js';
import { playlistLimits } from '../../../src/hls/playlist/limits.js';
import { parsePlaylist } from '../../../src/hls/playlist/parser.js';
import { mostMasterText, renderMaster } from '../../../src/hls/presentation/multivariant.js';

/** Leads every URI to one of that many characters. */
const master = (variants: number, length: number) => {
  const playlist = parsePlaylist(`#EXTM3U\n${'#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8\n'.repeat(variants)}`);
  assert.equal(playlist.kind, 'master');
  if (playlist.kind !== 'master') throw new Error('unreachable');
  const led = 'v'.repeat(length);
  return renderMaster(playlist, '.m3u8', () => ({ uri: led, target: led, variable: false }));
};

test('a master of as many variants as are read is led through the edge', () => {
  assert.equal(master(playlistLimits.variants, 100).match(/^v{100}$/gm)?.length, playlistLimits.variants);
});

test('a master is refused when the path of a player would make it long beyond measure', () => {
  const length = Math.ceil(mostMasterText / playlistLimits.variants) + 1;
  assert.throws(
    () => master(playlistLimits.variants, length),
    (error) => error instanceof WeirError && error.code === 'upstream_bad_response',
  );
});
