import assert from 'node:assert/strict';
import { test } from 'node:test';
import { firstEpoch, moveTo } from '../../src/hls/epoch.js';
import { type SessionState, StateLog, shiftTimes } from '../../src/hls/session-state.js';
import type { Entry, MediaWindow } from '../../src/hls/window.js';
import type { ChannelName } from '../../src/model.js';

const window = (last: number, offset = 0): MediaWindow => ({
  entries: [{ sequence: last } as Entry],
  epoch: 0,
  numbering: 0,
  source: 'a',
  life: '',
  offset,
  origin: { first: 0, last },
  targetDuration: 2,
  version: 3,
  header: [],
  delivery: {
    canBlock: false,
    skipUntil: undefined,
    holdBack: undefined,
    partHoldBack: undefined,
    partTarget: undefined,
  },
  dateRanges: [],
  tail: [],
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
  epoch: firstEpoch('a'),
  renditions: [{ rest: '.m3u8', pin: '', variant: undefined, origins: '', window: window(last) }],
  ...values,
});

test('a new session is told at once, one that only grows now and then, one that stands still never', () => {
  const log = new StateLog();
  assert.equal(log.due([state(1)], 0).length, 1);
  assert.equal(log.due([state(2)], 1_000).length, 0);
  assert.equal(log.due([state(3)], 4_000).length, 1);
  assert.equal(log.due([state(3)], 60_000).length, 0);
});

test('new numbers, another endpoint and another rendition are told at once', () => {
  const log = new StateLog();
  log.due([state(1)], 0);
  const moved = state(2, { epoch: moveTo(firstEpoch('a'), 'b') });
  assert.equal(log.due([moved], 1).length, 1);
  const two = [
    ...moved.renditions,
    { rest: '/audio.m3u8', pin: '', variant: undefined, origins: '', window: window(2, 7) },
  ];
  assert.equal(log.due([{ ...moved, renditions: two }], 2).length, 1);
  assert.equal(log.due([{ ...moved, renditions: two }], 3).length, 0);
});

test('a session that ended and comes again is told again', () => {
  const log = new StateLog();
  log.due([state(1)], 0);
  log.due([], 1);
  assert.equal(log.due([state(1)], 2).length, 1);
});

test('a state survives the way between processes, its times on another clock', () => {
  const sent = state(5, {
    renditions: [{ rest: '', pin: '', variant: undefined, origins: '', window: shiftTimes(window(5), 500) }],
  });
  const received = structuredClone(sent);
  assert.deepEqual(received, sent);
  assert.equal(received.renditions[0]?.window.grownAt, 1_500);
  assert.equal(shiftTimes({ ...window(5), behindSince: 3 }, -1).behindSince, 2);
});
