// One request to an endpoint as a stream of tags, and when it is worth having, on a clock that the test turns.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Outcome } from '../../../src/balancer/policy.js';
import { WeirError } from '../../../src/errors.js';
import { serverOf } from '../../../src/net-address.js';
import { Pull, type PullSettings, type Readiness } from '../../../src/relay/source/pull.js';
import { cleanupsAfterEach } from '../../support/cleanups.js';
import { endpoint } from '../../support/data-plane.js';
import { flvTag } from '../../support/flv-bytes.js';
import { audioHeader, file, inter, key, opening, sound, videoHeader } from '../../support/flv-frames.js';
import { ScriptedClient } from '../../support/scripted-client.js';
import { TurnedClock } from '../../support/turned-clock.js';

const cleanups = cleanupsAfterEach();

const defaults: PullSettings = {
  stallTimeoutMs: 3_000,
  keyframeTimeoutMs: 10_000,
  maxTagBytes: 1 << 20,
  maxGroupBytes: 8 << 20,
  firstTagTimeoutMs: 5_000,
};

function begun(settings: Partial<PullSettings> = {}) {
  const clock = new TurnedClock();
  cleanups.push(() => clock.restore());
  const client = new ScriptedClient();
  const news = endpoint('news', '10.0.0.1:80');
  const outcomes: Outcome[] = [];
  const faults: string[] = [];
  const seen = { tags: 0, overdue: 0, firstBytes: 0, isTaken: true, goesOn: true };
  const pick = {
    endpoint: news,
    server: serverOf(news.address),
    firstByte: () => {
      seen.firstBytes += 1;
    },
    done: (outcome: Outcome) => outcomes.push(outcome),
  };
  const observer = {
    onTag: () => {
      seen.tags += 1;
      return seen.isTaken;
    },
    onChunk: () => seen.goesOn,
    onWrongTagSize: () => undefined,
    onFault: (fault: string, error: WeirError) => faults.push(`${fault} ${error.code}`),
    onKeyframeOverdue: () => {
      seen.overdue += 1;
    },
  };
  const pull = new Pull(pick, { ...defaults, ...settings }, observer, () => clock.now);
  pull.start(client, { server: pick.server, path: '/live/news.flv', method: 'GET', headers: {} });
  const made = { pull, clock, client, outcomes, faults, seen, origin: client.pull };
  return {
    ...made,
    /** Turns the clock, and calls `each` every 20 ms. */
    pass(ms: number, each: () => void = () => undefined): void {
      for (let passed = 0; passed < ms; passed += 20) {
        each();
        clock.turn(20);
      }
    },
  };
}
const readiness = (pull: Pull) =>
  (['startable', 'settled', 'live_edge'] satisfies Readiness[]).filter((each) => pull.isReady(each));

describe('how far a new pull is', () => {
  test('nowhere with headers alone, nor with pictures before a keyframe', () => {
    const { pull, origin } = begun();
    origin.send(...opening(), inter(0), sound(0));
    assert.deepEqual(readiness(pull), []);
  });

  test('startable at its first keyframe, settled when its burst is over, at the live edge with the group after that', () => {
    const { pull, origin, clock } = begun();
    origin.send(...opening(), key(0), sound(0));
    assert.deepEqual(readiness(pull), ['startable']);
    clock.turn(250);
    assert.deepEqual(readiness(pull), ['startable', 'settled']);
    origin.send(key(250));
    assert.deepEqual(readiness(pull), ['startable', 'settled', 'live_edge']);
  });

  test('sound that the header claims is waited for a moment, and no longer', () => {
    const { pull, origin, clock } = begun();
    origin.send(file(), videoHeader, key(0));
    assert.deepEqual(readiness(pull), []);
    clock.turn(200);
    assert.deepEqual(readiness(pull), ['startable']);
  });

  test('sound that it does not claim is not waited for', () => {
    const { pull, origin } = begun();
    origin.send(file(true, false), videoHeader, key(0));
    assert.deepEqual(readiness(pull), ['startable']);
  });

  test('a stream of sound alone is at its live edge as soon as it has settled; pictures that it claims are waited for', () => {
    const without = begun();
    without.origin.send(file(false), audioHeader, sound(0));
    assert.deepEqual(readiness(without.pull), ['startable']);
    without.clock.turn(250);
    assert.deepEqual(readiness(without.pull), ['startable', 'settled', 'live_edge']);
    without.clock.restore();
    const claimed = begun();
    claimed.origin.send(file(), audioHeader, sound(0));
    claimed.clock.turn(980);
    assert.deepEqual(readiness(claimed.pull), []);
    claimed.clock.turn(20);
    assert.deepEqual(readiness(claimed.pull), ['startable', 'settled', 'live_edge']);
  });
});

describe('what ends a pull', () => {
  const answers: [string, (made: ReturnType<typeof begun>) => void, string, Outcome][] = [
    ['404', ({ origin }) => origin.handler.onResponse(404, {}), 'status not_found', 'abandoned'],
    ['403', ({ origin }) => origin.handler.onResponse(403, {}), 'status forbidden', 'abandoned'],
    ['407', ({ origin }) => origin.handler.onResponse(407, {}), 'status forbidden', 'abandoned'],
    ['410', ({ origin }) => origin.handler.onResponse(410, {}), 'status not_found', 'abandoned'],
    ['500', ({ origin }) => origin.handler.onResponse(500, {}), 'status upstream_status', 'bad_status'],
    [
      'a page',
      ({ origin }) => origin.send(Buffer.from('<html>no such stream</html>')),
      'framing upstream_bad_response',
      'bad_response',
    ],
    ['an end', ({ origin }) => origin.handler.onEnd(), 'end upstream_cut', 'cut'],
    [
      'a refused connection',
      ({ origin }) => origin.handler.onError(new WeirError('upstream_connect')),
      'connect upstream_connect',
      'connect_error',
    ],
    ['silence', (made) => made.pass(5_100), 'stall upstream_first_byte_timeout', 'stall'],
    [
      'headers without media',
      (made) => made.pass(5_100, () => made.origin.aborted || made.origin.send(...opening())),
      'stall upstream_first_byte_timeout',
      'stall',
    ],
    [
      'pictures without any keyframe',
      (made) => {
        made.origin.send(file(true, false), videoHeader);
        made.pass(16_000, () => made.origin.aborted || made.origin.send(inter(made.clock.now)));
      },
      'no_keyframe upstream_idle_timeout',
      'stall',
    ],
  ];
  for (const [what, happens, fault, outcome] of answers) {
    test(`${what}, before it is live: ${fault}, once, and its request with it`, () => {
      const made = begun();
      happens(made);
      made.pass(20_000);
      assert.deepEqual([made.faults, made.outcomes], [[fault], [outcome]]);
      assert.equal(made.origin.aborted, true);
      assert.equal(made.clock.pending, 0, 'no timer is left');
    });
  }

  test('an end after it went well is no failure of a gateway; silence is', () => {
    const ended = begun();
    ended.origin.send(...opening(), key(0), sound(0));
    ended.pull.goLive();
    ended.origin.handler.onEnd();
    assert.deepEqual([ended.faults, ended.outcomes, ended.seen.firstBytes], [['end upstream_cut'], ['interrupted'], 1]);
    ended.clock.restore();
    const silent = begun();
    silent.origin.send(...opening(), key(0), sound(0));
    silent.pull.goLive();
    silent.pass(9_000);
    assert.deepEqual([silent.faults, silent.outcomes], [['stall upstream_idle_timeout'], ['stall']]);
  });

  test('tags of which viewers get none are no sign of life', () => {
    const made = begun();
    made.origin.send(...opening(), key(0), sound(0));
    made.pull.goLive();
    made.seen.isTaken = false;
    made.pass(15_000, () => made.origin.aborted || made.origin.send(inter(made.clock.now)));
    assert.deepEqual(made.faults, ['stall upstream_idle_timeout']);
  });

  test('a pause that we asked for is not silence', () => {
    const made = begun();
    made.origin.send(...opening(), key(0), sound(0));
    made.pull.goLive();
    made.seen.goesOn = false;
    made.origin.send(sound(20));
    made.pass(10_000);
    assert.deepEqual([made.faults, made.origin.paused], [[], true]);
    made.pull.resume();
    made.seen.goesOn = true;
    made.pass(1_000);
    assert.deepEqual([made.faults, made.origin.paused], [[], false]);
  });

  test('nothing is heard of it after it was left', () => {
    const made = begun();
    made.origin.send(...opening(), key(0));
    made.pull.goLive();
    made.pull.close('success');
    made.pull.close('stall');
    made.origin.handler.onData(sound(0));
    made.origin.handler.onEnd();
    made.pass(20_000);
    assert.deepEqual([made.faults, made.outcomes, made.seen.tags], [[], ['success'], 0]);
  });
});

describe('keyframes that do not come any more', () => {
  function live(settings: Partial<PullSettings> = {}) {
    const made = begun({ keyframeTimeoutMs: 2_000, ...settings });
    made.origin.send(...opening(), key(0), sound(0));
    made.pull.goLive();
    return made;
  }
  const pictures = (made: ReturnType<typeof begun>, ms: number) =>
    made.pass(ms, () => made.origin.send(inter(made.clock.now)));

  test('are told once, and the tags go on; again after a keyframe', () => {
    const made = live();
    pictures(made, 10_000);
    assert.deepEqual([made.seen.overdue, made.faults], [1, []]);
    made.origin.send(key(made.clock.now));
    pictures(made, 10_000);
    assert.equal(made.seen.overdue, 2);
  });

  test('are not due while no pictures come', () => {
    const made = live();
    made.pass(20_000, () => made.origin.send(sound(made.clock.now)));
    assert.deepEqual([made.seen.overdue, made.faults], [0, []]);
  });

  test('are not due before twice the length of a group as it was seen', () => {
    const made = live();
    made.pull.expectGroup(5_000);
    pictures(made, 9_000);
    assert.equal(made.seen.overdue, 0);
    pictures(made, 5_000);
    assert.equal(made.seen.overdue, 1);
  });

  test('are no matter where its cache has one to start with', () => {
    const made = begun({ keyframeTimeoutMs: 2_000 });
    made.origin.send(...opening(), key(0), sound(0));
    pictures(made, 5_000);
    assert.deepEqual([made.seen.overdue, made.faults], [1, []]);
  });
});

test('tags go to whoever listens only while it is live; before that it keeps them', () => {
  const { pull, origin, seen } = begun();
  origin.send(...opening(), key(0), flvTag(9, 20, Buffer.from([0x27, 1, 0, 0, 0, 9])));
  assert.deepEqual([seen.tags, pull.cache.tags.length], [0, 2]);
  pull.goLive();
  origin.send(inter(40));
  assert.deepEqual([seen.tags, pull.cache.tags.length], [1, 2]);
});
