// Under which key an object is kept that a player asks for, and whose failure it is that it is not there.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import type { WeirError } from '../../../src/errors.js';
import type { CachedObject } from '../../../src/hls/cache/cached-object.js';
import { type ObjectAnswer, openObject } from '../../../src/hls/session/object-answer.js';
import { parseQuery } from '../../../src/hls/url/player-query.js';
import type { ChannelName } from '../../../src/model.js';
import { endpoint, metricValue } from '../../support/data-plane.js';
import { SessionParts } from '../../support/hls-parts.js';

const address = '10.0.0.1:80';
let parts: SessionParts;
let failures: (readonly [target: string, failure: number | WeirError])[];

function begin(options: ConstructorParameters<typeof SessionParts>[0] = {}): void {
  parts = new SessionParts(options);
  parts.registerAll(address);
  parts.script(address, 'bytes');
  failures = [];
}
beforeEach(() => begin());

function open(path: string, query = '', range?: string): ObjectAnswer {
  const owner = {
    ...parts.tools,
    objectFailed: (target: string, failure: number | WeirError) => failures.push([target, failure]),
  };
  const asked = {
    channel: 'news' as ChannelName,
    stem: '/live/news',
    suffix: path,
    query,
    carried: '',
    authorization: undefined,
    range,
    client: '192.0.2.1',
  };
  return openObject(owner, parts.context, asked, parseQuery(query));
}

/** The object is here, or it failed. */
function arrival(object: CachedObject): Promise<void> {
  return new Promise((resolve) => {
    const follower = {
      taken: Number.POSITIVE_INFINITY,
      drop: () => undefined,
      progress: () => {
        if (!object.pending) resolve();
      },
    };
    object.follow(follower);
    follower.progress();
  });
}

const pin = () => parts.context.tagOf(endpoint('news', address).address);

test('an object with the pin of its endpoint is asked for once', async () => {
  const first = open('/1.ts', `?weir=${pin()}`);
  assert.deepEqual([first.lookup, first.endpoint, first.selects], ['miss', address, true]);
  assert.equal(open('/1.ts', `?weir=${pin()}`).lookup, 'joined');
  await arrival(first.object);
  assert.equal(open('/1.ts', `?weir=${pin()}`).lookup, 'hit');
  assert.equal(parts.asked.length, 1);
});

test('without a pin it is used again for a second only', async () => {
  await arrival(open('/1.ts').object);
  assert.equal(open('/1.ts').lookup, 'hit');
  parts.now += 1_000;
  assert.equal(open('/1.ts').lookup, 'miss');
});

test('a pin that nobody made, and one of an endpoint that is gone, are counted', async () => {
  open('/1.ts', '?weir=!');
  open('/1.ts', '?weir=AAAAAAAA');
  const count = (problem: string) => metricValue(parts.metrics, 'weir_hls_pins_total', { problem });
  assert.deepEqual([await count('unknown'), await count('dead')], [1, 1]);
});

test('what else a made-up pin says makes no second object', async () => {
  await arrival(open('/1.ts', `?weir=${pin()}`).object);
  assert.equal(open('/1.ts', `?weir=${pin()}.k3x`).lookup, 'hit');
});

test('a byte range that a playlist lists is an object of its own, and not to be selected from', async () => {
  const ranged = open('/1.ts', `?weir=${pin()}..r`, 'bytes=0-3');
  assert.equal(ranged.selects, false);
  await arrival(ranged.object);
  assert.equal(open('/1.ts', `?weir=${pin()}..r`, 'bytes=4-7').lookup, 'miss');
});

test('a range of what nobody keeps is asked for alone', () => {
  const whole = open('/1.ts', `?weir=${pin()}`);
  const part = whole.askRange('bytes=0-3');
  assert.deepEqual([part.lookup, part.selects, part.endpoint], ['miss', false, address]);
  assert.notEqual(part.object, whole.object);
});

test('that it is not there is told by who asked first, once', async () => {
  parts.script(address, 404);
  const first = open('/1.ts', `?weir=${pin()}`);
  const second = open('/1.ts', `?weir=${pin()}`);
  await arrival(first.object);
  first.ended();
  second.ended();
  assert.deepEqual(failures, [[`/live/news/1.ts?weir=${pin()}`, 404]]);
});

test('who shares it with a token that is refused may ask with an own one', () => {
  assert.equal(open('/1.ts').mayAskAgain, false);
  begin();
  parts.tools.tokens.query = 'token=old';
  const first = open('/1.ts', '?token=new');
  assert.equal(first.mayAskAgain, false);
  const second = open('/1.ts', '?token=other');
  assert.equal(second.mayAskAgain, true);
  assert.equal(second.askAgain().lookup, 'miss');
});
