// Which endpoint a session is at, and when it goes elsewhere.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { WeirError } from '../../../src/errors.js';
import type { OriginLink } from '../../../src/hls/session/origin-link.js';
import { endpoint, metricValue } from '../../support/data-plane.js';
import { SessionParts } from '../../support/hls-parts.js';

const [a, b] = ['10.0.0.1:80', '10.0.0.2:80'];
let parts: SessionParts;

beforeEach(() => {
  parts = new SessionParts();
  parts.registerAll(a, b);
});

const addressOf = (link: OriginLink | undefined) => link?.pick.endpoint.address;

/** The session is at the endpoint that it would ask. */
function settle(): OriginLink {
  const link = parts.tools.choice.attach([]);
  parts.tools.choice.settle(link, undefined);
  return link;
}

test('an endpoint is a candidate until it is settled on, and asked again from then on', () => {
  const { choice } = parts.tools;
  const link = choice.attach([]);
  assert.equal(addressOf(link), a);
  assert.equal(choice.current, undefined);
  assert.equal(choice.settle(link, undefined), true);
  assert.equal(choice.current, link);
  assert.equal(choice.attach([]), link);
  assert.equal(choice.settle(link, undefined), false);
});

test('an endpoint that left the registry is dropped when somebody asks for it, and the playlists ask anew', () => {
  const { choice } = parts.tools;
  settle();
  assert.equal(addressOf(choice.dropIfGone()), a);
  parts.registerAll(b);
  assert.equal(choice.dropIfGone(), undefined);
  assert.equal(choice.current, undefined);
  assert.equal(parts.expired, 1);
  assert.deepEqual(parts.outcomes, ['abandoned']);
});

test('one that failed is avoided for a while, as long as there is another', async () => {
  const { choice, context } = parts.tools;
  choice.failed(settle(), 'upstream', 'connect_error');
  assert.deepEqual(parts.outcomes, ['connect_error']);
  const next = settle();
  assert.equal(addressOf(next), b);
  assert.equal(choice.lastSwitch?.cause, 'upstream');
  assert.equal(await metricValue(parts.metrics, 'weir_hls_switches_total', { cause: 'upstream' }), 1);
  const first = parts.tools.context.tagOf(endpoint('news', a).address);
  assert.equal(choice.reaches(first), false);
  parts.now += context.settings.avoidFailed;
  assert.equal(choice.reaches(first), true);
});

test('the only one is asked again though it failed', () => {
  const { choice } = parts.tools;
  parts.registerAll(a);
  choice.failed(settle(), 'upstream', 'connect_error');
  assert.equal(addressOf(choice.attach([])), a);
});

test('no endpoint is left when all failed in this refresh', () => {
  const { choice } = parts.tools;
  const servers = [a, b].map((address) => choice.attach([]).server.replace(a, address)) as OriginLink['server'][];
  assert.throws(
    () => choice.attach(servers),
    (error) => error instanceof WeirError && error.code === 'no_endpoint',
  );
});

test('to look for an alternative picks nothing', () => {
  const { choice } = parts.tools;
  const { server } = settle();
  assert.equal(choice.hasAlternative([server]), true);
  parts.registerAll(a);
  assert.equal(choice.hasAlternative([server]), false);
  assert.deepEqual(parts.outcomes, []);
});

test('a session stays within the margin, and at most once in an interval goes where it is better by more', () => {
  const { choice, context } = parts.tools;
  const first = settle();
  parts.register(endpoint('news', a, { load: 0.2, version: 2 }), endpoint('news', b, { load: 0.1, version: 2 }));
  assert.equal(choice.attach([]), first);
  parts.register(endpoint('news', a, { load: 0.9, version: 3 }), endpoint('news', b, { load: 0.1, version: 3 }));
  const second = choice.attach([]);
  assert.equal(addressOf(second), b);
  choice.settle(second, undefined);
  assert.equal(choice.lastSwitch?.cause, 'score');
  parts.register(endpoint('news', a, { load: 0.1, version: 4 }), endpoint('news', b, { load: 0.9, version: 4 }));
  assert.equal(choice.attach([]), second);
  parts.now += context.settings.switchInterval;
  assert.equal(addressOf(choice.attach([])), a);
});

test('a session leaves an endpoint that drains with its next request, and not for another one that drains', () => {
  const { choice } = parts.tools;
  const drains = { draining: true, version: 2 } as const;
  const first = settle();
  assert.equal(addressOf(first), a);
  parts.register(endpoint('news', a, drains), endpoint('news', b, { load: 0.9 }));
  const second = choice.attach([]);
  assert.equal(addressOf(second), b);
  assert.equal(choice.current, first, 'until the other one has shown itself');
  choice.settle(second, undefined);
  assert.equal(choice.lastSwitch?.cause, 'draining');
  // The one it left comes back, and this one drains: the interval between two moves does not count.
  parts.register(endpoint('news', a, { version: 3 }), endpoint('news', b, drains));
  const third = choice.attach([]);
  assert.equal(addressOf(third), a);
  choice.settle(third, undefined);
  parts.register(endpoint('news', a, { ...drains, version: 4 }), endpoint('news', b, drains));
  assert.equal(choice.attach([]), third);
});

test('when nobody asks any more the endpoint is let go, and that is no failure', () => {
  settle();
  parts.tools.choice.release();
  assert.equal(parts.tools.choice.current, undefined);
  assert.deepEqual(parts.outcomes, ['success']);
});
