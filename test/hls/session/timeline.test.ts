// Who says which period holds: proposals change nothing, and count only while nothing else has happened to the session.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { parsePlaylist } from '../../../src/hls/playlist/parser.js';
import type { MediaWindow } from '../../../src/hls/presentation/live-window.js';
import { PeriodTimeline, type Proposal } from '../../../src/hls/session/timeline.js';
import { list } from '../../support/bench.js';

let timeline: PeriodTimeline;
let incarnations: number;

beforeEach(() => {
  timeline = new PeriodTimeline();
  incarnations = 0;
});

function propose(source: string, text: string, window?: MediaWindow): Proposal {
  const playlist = parsePlaylist(text);
  assert.ok(playlist.kind === 'media');
  incarnations += 1;
  const step = {
    now: 1_000_000,
    allowEnd: true,
    bytesDiffer: false,
    nextIncarnation: `n${incarnations}`,
    locate: () => (uri: string) => ({ uri, target: `/live/${uri}?weir=${source}`, variable: false }),
    lost: () => false,
  };
  return timeline.propose({ source, list: 'main', window, playlist, step });
}

/** The session is at that endpoint, and shows what it lists. */
function show(source: string, text: string, window?: MediaWindow): MediaWindow {
  timeline.enter(source);
  const proposal = propose(source, text, window);
  assert.equal(timeline.commit(proposal), true);
  assert.ok(proposal.stepped.window !== undefined);
  return proposal.stepped.window;
}

test('a proposal changes nothing', () => {
  propose('A', list(10, 5));
  assert.equal(timeline.period, undefined);
  show('A', list(10, 5));
  const { period } = timeline;
  propose('B', list(500, 5));
  assert.equal(timeline.period, period);
});

test('what another endpoint listed is committed in the period that began with it', () => {
  const window = show('A', list(10, 5));
  const proposal = propose('B', list(500, 5, { prefix: 'other' }), window);
  assert.equal(proposal.stepped.change, 'switched');
  timeline.enter('B');
  assert.equal(timeline.commit(proposal), true);
  assert.deepEqual([timeline.period?.number, timeline.period?.source], [1, 'B']);
});

test('a proposal does not count when the session went elsewhere meanwhile', () => {
  const window = show('A', list(10, 5));
  const proposal = propose('A', list(11, 5), window);
  timeline.enter('B');
  const { period } = timeline;
  assert.equal(timeline.commit(proposal), false);
  assert.equal(timeline.period, period);
});

test('two playlists that cross over together agree: the second one is proposed again, and follows the first', () => {
  const video = show('A', list(10, 5));
  const audio = show('A', list(10, 5, { prefix: 'audio' }));
  const other = { prefix: 'other' };
  const first = propose('B', list(500, 5, other), video);
  const second = propose('B', list(500, 6, { prefix: 'otherAudio' }), audio);
  timeline.enter('B');
  assert.equal(timeline.commit(first), true);
  assert.equal(timeline.commit(second), false);
  const again = timeline.propose(second);
  assert.equal(timeline.commit(again), true);
  const numbers = [first, again].map(({ stepped }) => stepped.window?.entries.at(-1)?.discontinuitySequence);
  assert.deepEqual(numbers, [1, 1]);
});

test('an endpoint that the session comes back to begins a period of its own', () => {
  show('A', list(10, 5));
  timeline.enter('B');
  timeline.enter('A');
  assert.deepEqual([timeline.period?.number, timeline.period?.source], [2, 'A']);
  timeline.enter('A');
  assert.equal(timeline.period?.number, 2);
});

test('what another process stopped at goes on', () => {
  const window = show('A', list(10, 5));
  const { period } = timeline;
  assert.ok(period !== undefined);
  const next = new PeriodTimeline();
  next.restore(period);
  timeline = next;
  assert.equal(propose('A', list(11, 5), window).stepped.change, 'grown');
});
