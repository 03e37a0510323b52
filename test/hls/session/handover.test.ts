import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Entry, MediaWindow } from '../../../src/hls/presentation/live-window.js';
import { firstPeriod, moveTo } from '../../../src/hls/presentation/period.js';
import { type Reported, type SessionState, StateLog, shiftTimes } from '../../../src/hls/session/handover.js';
import type { ChannelName } from '../../../src/model.js';

const window = (last: number, offset = 0): MediaWindow => ({
  entries: [{ sequence: last } as Entry],
  period: 0,
  numbering: 0,
  source: 'a',
  incarnation: '',
  offset,
  origin: { first: 0, last },
  targetDurationSeconds: 2,
  version: 3,
  header: '',
  delivery: {
    canBlock: false,
    skipUntilSeconds: undefined,
    holdBackSeconds: undefined,
    partHoldBackSeconds: undefined,
    partTargetSeconds: undefined,
  },
  dateRanges: [],
  tail: '',
  tailParts: 0,
  ended: false,
  grownAt: 1_000,
  behindSince: undefined,
  listed: new Map([['a.', last]]),
});
const state = (last: number, values: Partial<SessionState> = {}): SessionState => ({
  key: 'news',
  channel: 'news' as ChannelName,
  endpoint: undefined,
  period: firstPeriod('a'),
  playlists: [{ suffix: '.m3u8', pin: '', variant: undefined, originQuery: '', window: window(last) }],
  bytes: 1000,
  ...values,
});
let revisions = 0;
/** A session that has changed, in that state. */
const seen = (one: SessionState): Reported => {
  revisions += 1;
  return { key: one.key, revision: revisions, bytes: one.bytes, state: one };
};

test('a new session is told at once, one that only grows now and then, one that stands still never', () => {
  const log = new StateLog();
  assert.equal(log.due([seen(state(1))], 0).length, 1);
  assert.equal(log.due([seen(state(2))], 1_000).length, 0);
  assert.equal(log.due([seen(state(3))], 4_000).length, 1);
  assert.equal(log.due([seen(state(3))], 60_000).length, 0);
});

test('new numbers, another endpoint and another playlist are told at once', () => {
  const log = new StateLog();
  log.due([seen(state(1))], 0);
  const moved = state(2, { period: moveTo(firstPeriod('a'), 'b') });
  assert.equal(log.due([seen(moved)], 1).length, 1);
  const two = [
    ...moved.playlists,
    { suffix: '/audio.m3u8', pin: '', variant: undefined, originQuery: '', window: window(2, 7) },
  ];
  assert.equal(log.due([seen({ ...moved, playlists: two })], 2).length, 1);
  assert.equal(log.due([seen({ ...moved, playlists: two })], 3).length, 0);
});

test('a session that ended and comes again is told again', () => {
  const log = new StateLog();
  log.due([seen(state(1))], 0);
  log.due([], 1);
  assert.equal(log.due([seen(state(1))], 2).length, 1);
});

test('a state survives the way between processes, its times on another clock', () => {
  const sent = state(5, {
    playlists: [{ suffix: '', pin: '', variant: undefined, originQuery: '', window: shiftTimes(window(5), 500) }],
  });
  const received = structuredClone(sent);
  assert.deepEqual(received, sent);
  assert.equal(received.playlists[0]?.window.grownAt, 1_500);
  assert.equal(shiftTimes({ ...window(5), behindSince: 3 }, -1).behindSince, 2);
});

test('one message holds a bounded number of bytes, the rest follows, and what is too large is not told at all', () => {
  const log = new StateLog();
  const sessions = Array.from({ length: 10 }, (_, index) => seen(state(1, { key: `${index}`, bytes: 1024 * 1024 })));
  const keys = (now: number) => log.due(sessions, now).map(({ key }) => key);
  assert.deepEqual(keys(0), ['0', '1', '2', '3']);
  assert.deepEqual(keys(1), ['4', '5', '6', '7']);
  assert.deepEqual(keys(2), ['8', '9']);
  assert.deepEqual(keys(3), []);
  assert.equal(log.due([...sessions, seen(state(1, { key: 'alone', bytes: 10 * 1024 * 1024 }))], 4).length, 1);
  assert.equal(log.due([...sessions, seen(state(1, { key: 'huge', bytes: 100 * 1024 * 1024 }))], 5).length, 0);
});

test('a session that did not change is not looked at', () => {
  const log = new StateLog();
  const one = seen(state(1));
  log.due([one], 0);
  const untouched = {
    ...one,
    get state(): SessionState {
      throw new Error('looked at');
    },
  };
  assert.deepEqual(log.due([untouched], 60_000), []);
});
