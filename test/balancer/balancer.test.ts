import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { Balancer } from '../../src/balancer/balancer.js';
import { createPolicy } from '../../src/balancer/policies.js';
import type { Outcome } from '../../src/balancer/policy.js';
import { type Failure, WeirError } from '../../src/errors.js';
import type { ChannelName, Endpoint, EndpointId, ServerOrigin } from '../../src/model.js';
import { SnapshotStore } from '../../src/snapshot/store.js';
import { endpoint } from '../support/data-plane.js';

const news = 'news' as ChannelName;
let store: SnapshotStore;
let now: number;
let revision: number;
let ejected: string[];
let outcomes: Outcome[];

beforeEach(() => {
  store = new SnapshotStore();
  now = 1_000;
  revision = 0;
  ejected = [];
  outcomes = [];
});

function register(...endpoints: Endpoint[]): void {
  revision += 1;
  store.accept({ kind: 'full', revision, state: 'live', endpoints });
}

function balancer(addressAllowed: (server: ServerOrigin) => boolean = () => true): Balancer {
  return new Balancer({
    store,
    policy: createPolicy('lowest'),
    settings: {
      policy: 'lowest',
      lossWeight: 10,
      tieBand: 0.02,
      edges: 1,
      affinityMargin: 0.1,
      zoneSpill: 0.8,
      outlier: { consecutiveFailures: 5, baseEjection: 30_000, maxEjection: 300_000, panicThreshold: 0.5 },
    },
    observer: {
      picked: (outcome) => outcomes.push(outcome),
      ejected: (server) => ejected.push(server),
      refused: () => undefined,
    },
    addressAllowed,
    now: () => now,
    random: () => 0,
  });
}

const a = endpoint('news', '10.0.0.1:80', { load: 0.1 });
const b = endpoint('news', '10.0.0.2:80', { load: 0.5 });
const c = endpoint('news', '10.0.0.3:80', { load: 0.9 });
const hasCode = (code: string) => (error: unknown) => error instanceof WeirError && error.code === code;

function failTimes(subject: Balancer, times: number, cause: Failure = 'connect_error'): void {
  for (let i = 0; i < times; i++) subject.pick(news).done(cause);
}

test('before the first snapshot nothing is ready; later an unknown channel is unknown', () => {
  const subject = balancer();
  assert.throws(() => subject.pick(news), hasCode('not_ready'));
  register(endpoint('other', '10.0.0.1:80'));
  assert.throws(() => subject.pick(news), hasCode('unknown_channel'));
});

test('the pick follows a new report at once', () => {
  register(a, b);
  const subject = balancer();
  assert.equal(subject.pick(news).endpoint.address, a.address);
  register({ ...a, load: 0.8, version: 2 }, b);
  assert.equal(subject.pick(news).endpoint.address, b.address);
});

test('a deleted endpoint is never picked again', () => {
  register(a, b);
  const subject = balancer();
  register(b);
  for (let i = 0; i < 20; i++) assert.equal(subject.pick(news).endpoint.id, b.id);
});

test('a pick occupies its server until it is done, once', () => {
  register(a);
  const subject = balancer();
  const pick = subject.pick(news);
  assert.equal(subject.explain(news).endpoints[0]?.inFlight, 1);
  pick.done('success');
  pick.done('connect_error');
  pick.firstByte();
  assert.equal(subject.explain(news).endpoints[0]?.inFlight, 0);
  assert.equal(subject.explain(news).endpoints[0]?.consecutiveFailures, 0);
  assert.deepEqual(outcomes, ['success']);
});

test('five gateway failures in a row eject a server; it comes back after 30 s', () => {
  register(a, b);
  const subject = balancer();
  failTimes(subject, 5);
  assert.deepEqual(ejected, ['http://10.0.0.1:80']);
  assert.equal(subject.pick(news).endpoint.id, b.id);
  assert.equal(subject.explain(news).endpoints[0]?.reason, 'ejected');
  now += 30_000;
  assert.equal(subject.pick(news).endpoint.id, a.id);
});

test('a player who leaves and a stream cut midway are no failures', () => {
  register(a, b);
  const subject = balancer();
  for (let i = 0; i < 20; i++) {
    subject.pick(news).done('abandoned');
    subject.pick(news).done('interrupted');
  }
  assert.deepEqual(ejected, []);
  assert.equal(subject.pick(news).endpoint.id, a.id);
});

test('the first byte of an endless stream ends a row of failures', () => {
  register(a);
  const subject = balancer();
  failTimes(subject, 4);
  const stream = subject.pick(news);
  stream.firstByte();
  assert.equal(subject.explain(news).endpoints[0]?.consecutiveFailures, 0);
  assert.equal(subject.explain(news).endpoints[0]?.inFlight, 1);
});

test('an ejection holds for every channel of the server', () => {
  const sport = endpoint('sport', '10.0.0.1:80', { load: 0.1 });
  const sportB = endpoint('sport', '10.0.0.2:80', { load: 0.9 });
  register(a, b, sport, sportB);
  const subject = balancer();
  failTimes(subject, 5);
  assert.equal(subject.pick('sport' as ChannelName).endpoint.id, sportB.id);
});

test('with over half of a channel ejected, passive health is ignored', () => {
  register(a, b, c);
  const subject = balancer();
  failTimes(subject, 10);
  assert.equal(ejected.length, 2);
  assert.equal(subject.explain(news).panic, true);
  assert.equal(subject.pick(news).endpoint.id, a.id);
});

test('servers that failed this request are not picked for it again; with none left there is no endpoint', () => {
  register(a, b);
  const subject = balancer();
  const first = subject.pick(news);
  const second = subject.pick(news, { exclude: [first.server] });
  assert.equal(second.endpoint.id, b.id);
  assert.throws(() => subject.pick(news, { exclude: [first.server, second.server] }), hasCode('no_endpoint'));
});

test('a last resort is picked only where a channel has nothing else', () => {
  register({ ...a, lastResort: true }, c);
  const subject = balancer();
  assert.equal(subject.pick(news).endpoint.id, c.id);
  assert.equal(subject.explain(news).endpoints[0]?.reason, 'last_resort');
  register({ ...a, lastResort: true });
  assert.equal(subject.pick(news).endpoint.id, a.id);
});

test('a server is judged once, however many endpoints it has, and anew when it comes back', () => {
  const judged: ServerOrigin[] = [];
  register(a, b);
  const subject = balancer((server) => judged.push(server) > 0);
  register(a, { ...a, id: 'another' as EndpointId, version: 7 }, b);
  assert.deepEqual(judged, ['http://10.0.0.1:80', 'http://10.0.0.2:80']);
  register(b);
  register(a, b);
  assert.deepEqual(judged.slice(2), ['http://10.0.0.1:80']);
  subject.close();
});

test('an address outside the allowed networks is never picked, not even in a panic', () => {
  register(a, b);
  const subject = balancer((server) => server !== 'http://10.0.0.1:80');
  assert.equal(subject.pick(news).endpoint.id, b.id);
  assert.equal(subject.explain(news).endpoints[0]?.reason, 'address_refused');
  register(a);
  assert.throws(() => subject.pick(news), hasCode('no_endpoint'));
});

test('sticky picks stay while the score is within the margin, and move when it is not', () => {
  register(a, b);
  const subject = balancer();
  assert.equal(subject.pick(news, { sticky: true }).endpoint.id, a.id);
  register({ ...a, load: 0.59, version: 2 }, b);
  assert.equal(subject.pick(news, { sticky: true }).endpoint.id, a.id);
  assert.equal(subject.pick(news).endpoint.id, b.id);
  register({ ...a, load: 0.61, version: 3 }, b);
  assert.equal(subject.pick(news, { sticky: true }).endpoint.id, b.id);
});

test('a sticky pick leaves a deleted and an ejected endpoint', () => {
  const near = { ...b, load: 0.15 };
  register(a, near);
  const subject = balancer();
  subject.pick(news, { sticky: true });
  register(near);
  assert.equal(subject.pick(news, { sticky: true }).endpoint.id, b.id);
  register(a, near);
  assert.equal(subject.pick(news, { sticky: true }).endpoint.id, b.id);
  for (let i = 0; i < 5; i++) subject.pick(news, { sticky: true }).done('cut');
  assert.equal(subject.pick(news, { sticky: true }).endpoint.id, a.id);
});

test('explain says what would be picked, the terms, the age and who is sticky', () => {
  register(a, { ...b, packetLoss: 0.02 });
  const subject = balancer();
  subject.pick(news, { sticky: true });
  now += 250;
  const explained = subject.explain(news);
  assert.equal(explained.picked, a.id);
  assert.equal(explained.endpoints[0]?.sticky, true);
  assert.equal(explained.endpoints[0]?.reportAgeMs, 250);
  assert.ok(Math.abs((explained.endpoints[1]?.terms.score ?? 0) - 0.7) < 1e-9);
});

test('the age starts anew with every version, not with every update', () => {
  register(a);
  const subject = balancer();
  now += 100;
  register(a, b);
  assert.equal(subject.explain(news).endpoints[0]?.reportAgeMs, 100);
  register({ ...a, version: 2 }, b);
  assert.equal(subject.explain(news).endpoints[0]?.reportAgeMs, 0);
});

test('what was known of a server is forgotten with its last endpoint', () => {
  register(a, b);
  const subject = balancer();
  failTimes(subject, 5);
  register(b);
  register(a, b);
  assert.equal(subject.pick(news).endpoint.id, a.id);
});

test('what an origin tells with an answer counts for all its channels until the registry tells anew', () => {
  const sport = { ...endpoint('sport', '10.0.0.1:80'), load: 0.1, packetLoss: 0.5 };
  register(a, b, sport);
  const subject = balancer();
  now += 250;
  subject.refresh('http://10.0.0.1:80' as ServerOrigin, { load: 0.9, packetLoss: undefined });
  const [first] = subject.explain(news).endpoints;
  assert.equal(first?.endpoint.load, 0.9);
  assert.equal(first?.reportAgeMs, 0);
  assert.equal(subject.pick(news).endpoint.id, b.id);
  const other = subject.explain('sport' as ChannelName).endpoints[0]?.endpoint;
  assert.deepEqual([other?.load, other?.packetLoss], [0.9, 0.5]);
  register({ ...a, load: 0.05, version: a.version + 1 }, b, sport);
  assert.equal(subject.pick(news).endpoint.id, a.id);
});

test('origins that report with every answer are heard four times a second', () => {
  register(a, b);
  const subject = balancer();
  const loadAfter = (elapsedMs: number, load: number | undefined) => {
    now += elapsedMs;
    subject.refresh('http://10.0.0.1:80' as ServerOrigin, { load, packetLoss: undefined });
    return subject.explain(news).endpoints[0]?.endpoint.load;
  };
  assert.equal(loadAfter(100, 0.7), a.load);
  assert.equal(loadAfter(150, 0.7), 0.7);
  assert.equal(loadAfter(249, 0.8), 0.7);
  assert.equal(loadAfter(1, 0.8), 0.8);
  assert.equal(loadAfter(1000, undefined), 0.8);
  subject.refresh('http://10.9.9.9:80' as ServerOrigin, { load: 0.1, packetLoss: undefined });
});

test('the status has the age of the reports', () => {
  register(a);
  const subject = balancer();
  now += 500;
  register(a, b);
  now += 500;
  assert.deepEqual(subject.status().reportAgeMs, { mean: 750, oldest: 1000 });
});

test('to ask whether there is another endpoint picks none', () => {
  const subject = balancer();
  assert.equal(subject.hasEligible(news, []), false);
  register(a, b);
  const first = subject.pick(news, { sticky: true });
  assert.equal(subject.hasEligible(news, [first.server]), true);
  assert.equal(subject.hasEligible(news, ['http://10.0.0.1:80', 'http://10.0.0.2:80'] as ServerOrigin[]), false);
  assert.equal(subject.hasEligible('other' as ChannelName, []), false);
  assert.deepEqual(outcomes, []);
  assert.deepEqual(
    subject.inFlightChanges().map(([, count]) => count),
    [1],
  );
});

test('a draw to leave says stay while the endpoint is good enough, and leave once it is gone', () => {
  const subject = balancer();
  register(a, b);
  const pick = subject.pick(news, { sticky: true });
  assert.equal(subject.drawLeave(pick), false);
  register(b);
  assert.equal(subject.drawLeave(pick), true);
});
