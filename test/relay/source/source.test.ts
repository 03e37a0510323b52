// A live pull that is kept under a relay: what the failover decides is done, and nothing is left behind.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { Pick } from '../../../src/balancer/balancer.js';
import type { Outcome } from '../../../src/balancer/policy.js';
import { WeirError } from '../../../src/errors.js';
import { silentLogger } from '../../../src/log.js';
import type { ChannelName, Endpoint, ServerOrigin } from '../../../src/model.js';
import { peerServer, serverOf } from '../../../src/net-address.js';
import { PullSource } from '../../../src/relay/source/source.js';
import { SnapshotStore } from '../../../src/snapshot/store.js';
import { cleanupsAfterEach } from '../../support/cleanups.js';
import { endpoint } from '../../support/data-plane.js';
import { inter, key, opening, sound } from '../../support/flv-frames.js';
import { ScriptedClient } from '../../support/scripted-client.js';
import { TurnedClock } from '../../support/turned-clock.js';

const cleanups = cleanupsAfterEach();
const news = 'news' as ChannelName;
const a = endpoint('news', '10.0.0.1:80');
const b = endpoint('news', '10.0.0.2:80');
const peer = (name: string): Endpoint => ({
  ...a,
  id: name as never,
  address: peerServer(name) as never,
  peer: 'worker',
});

function started(...endpoints: Endpoint[]) {
  const clock = new TurnedClock();
  const client = new ScriptedClient();
  const store = new SnapshotStore();
  const register = (...all: Endpoint[]) =>
    store.accept({ kind: 'full', revision: store.current.revision + 1, state: 'live', endpoints: all });
  register(...endpoints);
  const outcomes: string[] = [];
  const heard: string[] = [];
  const nothing = () => {};
  const on = { splice: nothing, lost: nothing, recognises: false };
  let newPictures = 0;
  const source: PullSource = new PullSource(
    { channel: news, path: '/live/news.flv', suffix: '.flv', query: '' },
    {
      stallTimeoutMs: 3_000,
      keyframeTimeoutMs: 10_000,
      maxTagBytes: 1 << 20,
      maxGroupBytes: 8 << 20,
      firstByteTimeoutMs: 5_000,
      graceMs: 10_000,
    },
    {
      balancer: { pick: (_channel, { exclude = [] } = {}) => picked(store, exclude, outcomes) },
      client,
      store,
      headers: {},
      logger: silentLogger,
      sayUndelivered: () => undefined,
      now: () => clock.now,
    },
    {
      recognises: () => on.recognises,
      isNew: () => {
        newPictures += 1;
        return true;
      },
    },
    {
      onSplice: (pull, cause) => {
        heard.push(`splice ${pull.pick.endpoint.address} ${cause ?? 'first'}`);
        on.splice();
      },
      onTag: () => true,
      onChunk: () => true,
      onWrongTagSize: () => undefined,
      onLost: (cause) => {
        heard.push(`lost ${cause}`);
        on.lost();
      },
      onGivenUp: (error) => heard.push(`given up ${error.code}`),
      onPullEnded: (outcome) => heard.push(`pull ${outcome}`),
      onRetry: ({ code }) => heard.push(`retry ${code}`),
    },
  );
  source.start();
  cleanups.push(() => {
    source.close();
    clock.restore();
  });
  return {
    source,
    clock,
    client,
    register,
    outcomes,
    heard,
    on,
    get newPictures() {
      return newPictures;
    },
    /** The last pull delivers, a keyframe each second. */
    live(ms: number): void {
      for (let passed = 0; passed < ms; passed += 20) {
        client.pull.send(clock.now % 1_000 === 0 ? key(clock.now) : inter(clock.now), sound(clock.now));
        clock.turn(20);
      }
    },
    begin(): void {
      client.pull.send(...opening(), key(clock.now), sound(clock.now));
    },
  };
}

/** The first that is not excluded. */
function picked(store: SnapshotStore, exclude: readonly ServerOrigin[], outcomes: string[]): Pick {
  const found = store.channel(news)?.endpoints.find(({ address }) => !exclude.includes(serverOf(address)));
  if (found === undefined) throw new WeirError('no_endpoint');
  let isDone = false;
  const done = (outcome: Outcome) => {
    if (!isDone) outcomes.push(`${found.address} ${outcome}`);
    isDone = true;
  };
  return { endpoint: found, server: serverOf(found.address), firstByte: () => undefined, done };
}

test('a request that cannot even be sent ends its pull like any other failure, and its pick', async () => {
  const { client, heard, outcomes, source } = started(a, b);
  client.mistake = new TypeError('a mistake of ours');
  client.pull.handler.onResponse(500, {});
  assert.deepEqual(heard, ['pull status', 'retry upstream_status'], 'it is told when the step is over');
  await turn();
  assert.deepEqual(heard.slice(2), ['pull connect', 'given up internal']);
  assert.ok(outcomes.includes(`${b.address} abandoned`), outcomes.join());
  assert.equal(outcomes.length, 2);
  assert.equal(source.current, undefined);
});

describe('retries', () => {
  test('are told by what failed, when another endpoint is tried before anything was delivered', () => {
    const { client, heard } = started(a, b);
    client.pull.handler.onResponse(500, {});
    assert.equal(client.pulls.length, 2);
    client.pull.handler.onError(new WeirError('upstream_connect'));
    assert.deepEqual(heard, [
      'pull status',
      'retry upstream_status',
      'pull connect',
      // Nobody is left: what failed last is told.
      'given up upstream_connect',
    ]);
  });

  test('are not what follows the loss of a stream: that is a failover', () => {
    const made = started(a, b);
    made.begin();
    made.live(1_000);
    made.client.pull.handler.onEnd();
    assert.equal(made.client.pulls.length, 2);
    assert.deepEqual(made.heard, [`splice ${a.address} first`, 'pull end', 'lost end']);
    made.client.pull.handler.onResponse(502, {});
    made.clock.turn(250);
    assert.deepEqual(made.heard.slice(3), ['pull status'], 'nor what is tried again after a pause');
    assert.equal(made.client.pulls.length, 3);
  });
});

describe('a successor', () => {
  test('takes over from a lost pull when its burst is over, and at once with frames that viewers know', () => {
    for (const [recognises, spliced] of [
      [false, 0],
      [true, 1],
    ] as const) {
      const made = started(a, b);
      made.begin();
      made.live(1_000);
      made.client.pull.handler.onEnd();
      made.heard.length = 0;
      made.on.recognises = recognises;
      made.begin();
      assert.equal(made.heard.length, spliced);
      made.live(300);
      assert.deepEqual(made.heard, [`splice ${b.address} end`]);
      made.source.close();
      made.clock.restore();
    }
  });

  test('that is on trial when the old pull fails takes over at once if it has settled', () => {
    const made = started(a, b);
    made.begin();
    made.live(1_000);
    const [old] = made.client.pulls;
    made.register(b);
    made.begin();
    made.clock.turn(300);
    assert.equal(made.heard.length, 1, 'the old one delivers, and nothing new came');
    old?.handler.onEnd();
    assert.deepEqual(made.heard.slice(1), ['pull end', 'lost deregistered', `splice ${b.address} deregistered`]);
  });

  test('is not asked for a picture more than it takes to prove it', () => {
    const made = started(a);
    made.begin();
    made.live(5_000);
    assert.equal(made.newPictures > 0 && made.newPictures <= 12, true, `${made.newPictures}`);
  });
});

describe('another worker', () => {
  test('is given the grace on top, and what it sends is no pull of ours', () => {
    const made = started(peer('w1'));
    assert.equal(made.source.fromPeer, undefined);
    made.begin();
    made.live(1_000);
    assert.equal(made.source.fromPeer, 'worker');
    made.clock.turn(12_500);
    assert.equal(made.client.pulls[0]?.aborted, false);
    made.clock.turn(5_000);
    assert.equal(made.client.pulls[0]?.aborted, true);
    assert.deepEqual(made.heard, [`splice ${peer('w1').address} first`, 'lost stall']);
  });

  test('that ends the stream and still has the channel gave up: nobody else is tried', () => {
    const made = started(peer('w1'));
    made.begin();
    made.live(1_000);
    made.client.pull.handler.onEnd();
    assert.deepEqual(made.heard.slice(1), ['given up upstream_cut']);
  });

  test('that has the channel no longer is left, and cut off it is followed', () => {
    for (const ends of [false, true]) {
      const made = started(peer('w1'));
      made.begin();
      made.live(1_000);
      made.register(peer('w2'));
      if (ends) made.client.pulls[0]?.handler.onEnd();
      made.begin();
      made.live(2_000);
      assert.equal(made.heard.at(-1), `splice ${peer('w2').address} moved`);
      made.clock.turn(11_000);
      assert.equal(
        made.heard.some((what) => what.startsWith('given up')),
        false,
      );
      made.source.close();
      made.clock.restore();
    }
  });
});

describe('the end', () => {
  test('leaves all pulls and all timers', () => {
    const made = started(a, b);
    made.begin();
    made.live(1_000);
    made.register(b);
    assert.equal(made.client.pulls.length, 2);
    made.source.close();
    made.source.close();
    assert.deepEqual(made.outcomes, [`${a.address} success`, `${b.address} abandoned`]);
    assert.equal(made.clock.pending, 0);
    made.register(a);
    assert.equal(made.client.pulls.length, 2, 'the registry is not listened to any more');
  });

  for (const what of ['splice', 'lost'] as const) {
    test(`may come from whoever hears of a ${what}: nothing goes on behind its back`, () => {
      const made = started(a, b);
      made.on[what] = () => made.source.close();
      made.begin();
      made.client.pulls[0]?.handler.onEnd();
      made.clock.turn(20_000);
      assert.ok(
        made.client.pulls.every(({ aborted, handler }) => aborted || handler === made.client.pulls[0]?.handler),
      );
      assert.equal(made.heard.filter((each) => each.startsWith('splice')).length, 1);
      assert.equal(made.clock.pending, 0);
    });
  }

  test('comes after the grace where nobody delivers', () => {
    const made = started(a);
    made.begin();
    made.live(1_000);
    made.register();
    made.client.pull.handler.onEnd();
    made.clock.turn(9_900);
    assert.equal(made.heard.at(-1), 'lost deregistered');
    made.clock.turn(200);
    assert.equal(made.heard.at(-1), 'given up no_endpoint');
    assert.equal(made.clock.pending, 0);
  });
});
