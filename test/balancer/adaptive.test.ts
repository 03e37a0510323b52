import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Adaptive } from '../../src/balancer/adaptive.js';
import type { Candidate, Outcome, PickContext } from '../../src/balancer/policy.js';
import type { ServerOrigin } from '../../src/model.js';
import { candidate, context, type Given } from './candidates.js';

/** A policy with servers 10.0.0.0 upwards, and time that only the test moves. */
class Edge {
  readonly policy = new Adaptive();
  readonly context: PickContext;
  list: readonly Candidate[] = [];

  constructor(edges = 1, workers = 1) {
    this.context = context(1, { workers, settings: { lossWeight: 10, tieBand: 0.02, edges } });
  }

  /** All servers report, `elapsed` ms later. */
  report(elapsedMs: number, ...given: readonly Given[]): void {
    this.context.now += elapsedMs;
    this.list = given.map((one, i) => candidate({ address: `10.0.0.${i}:80`, packetLoss: 0, ...one }));
    for (const one of this.list) this.policy.onReport(one, this.context);
  }

  /** Loads only. */
  loads(elapsedMs: number, ...loads: readonly (number | undefined)[]): void {
    this.report(elapsedMs, ...loads.map((load) => ({ load })));
  }

  /** A pick that lasts until `end` is called. */
  start(list = this.list): { readonly index: number; end(outcome?: Outcome): void } {
    const index = this.policy.pick(list, this.context);
    const chosen = list[index];
    assert.ok(chosen !== undefined);
    const startedAt = this.context.now;
    this.policy.onStart(chosen, this.context);
    return {
      index,
      end: (outcome = 'success') => this.policy.onDone(chosen, outcome, this.context.now - startedAt, this.context),
    };
  }

  /** Short requests, one every 10 ms; how many each endpoint got. */
  requests(count: number, list = this.list): number[] {
    const counts = list.map(() => 0);
    for (let i = 0; i < count; i += 1) {
      const pick = this.start(list);
      counts[pick.index] = (counts[pick.index] ?? 0) + 1;
      this.context.now += 10;
      pick.end();
    }
    return counts;
  }

  term(index: number, name: string, list = this.list): number {
    const one = list[index];
    assert.ok(one !== undefined);
    return this.policy.terms(one, this.context, list)[name] ?? Number.NaN;
  }
}

/** An edge whose shares have been seen to move the reports: all load is like its own. */
function experienced(): Edge {
  const edge = new Edge(10);
  edge.loads(0, 0.5, 0.5, 0.5);
  const { random } = context(9);
  let counts = [1, 1, 1];
  for (let i = 0; i < 60; i += 1) {
    const total = counts.reduce((a, b) => a + b, 0);
    edge.loads(1000, ...counts.map((count) => Math.min(1, (1.5 * count) / total + 0.05 * random())));
    counts = edge.requests(90);
  }
  return edge;
}

test('takes the lowest literally while reports stay the same, however often they are repeated', () => {
  const edge = new Edge();
  for (let i = 0; i < 60; i += 1) {
    edge.loads(i === 0 ? 0 : 1000, 0.75, 0.1, 0.5);
    assert.deepEqual(edge.requests(20), [0, 20, 0]);
  }
});

test('goes on to follow the lowest where loads wander and its own picks do not move them', () => {
  const edge = new Edge();
  const random = context(5).random;
  const loads = [0.5, 0.5, 0.5];
  for (let i = 0; i < 400; i += 1) {
    for (const [k, load] of loads.entries()) loads[k] = Math.min(0.9, Math.max(0.1, load + 0.1 * (random() - 0.5)));
    edge.loads(1000, ...loads);
    const lowest = Math.min(...loads);
    for (const [k, count] of edge.requests(20).entries()) {
      assert.ok(
        count === 0 || (loads[k] ?? 1) < lowest + 0.05,
        `${i}: ${count} of 20 went to ${loads[k]}, not to ${lowest}`,
      );
    }
  }
});

test('where reports follow its shares it does not jump to the lowest', () => {
  const edge = experienced();
  assert.ok(edge.term(0, 'gain') > 0.5);
  edge.loads(1000, 0.45, 0.5, 0.55);
  for (const count of edge.requests(90)) assert.ok(count > 20 && count < 45, String(count));
});

test('a worker counts like an edge: what it carries is a part of what moves the reports', () => {
  const softness = (edges: number, workers: number) => {
    const edge = new Edge(edges, workers);
    edge.loads(5000, 0.4, 0.5);
    for (let i = 0; i < 10; i += 1) edge.start();
    return edge.term(0, 'softness');
  };
  assert.equal(softness(2, 3), softness(6, 1));
  assert.equal(softness(1, 6), softness(6, 1));
  assert.ok(softness(6, 1) > 2 * softness(2, 1));
  assert.ok(softness(1, 1) <= softness(1, 2));
});

test('learns capacity: a server that stays below the others gets more and more', () => {
  const edge = experienced();
  for (let i = 0; i < 60; i += 1) {
    edge.loads(1000, 0.2, 0.5, 0.5);
    edge.requests(30);
  }
  assert.ok(edge.term(0, 'weight') > 1.5 * edge.term(1, 'weight'));
});

test('a server that refuses gets nothing until it reports, or for two report intervals', () => {
  const edge = experienced();
  edge.loads(1000, 0.5, 0.5, 0.5);
  const failedAt = edge.start();
  failedAt.end('connect_error');
  const failed = failedAt.index;
  assert.equal(edge.requests(60)[failed], 0);
  assert.ok(edge.term(failed, 'blockedSeconds') > 0);
  edge.context.now += 3000;
  assert.ok((edge.requests(60)[failed] ?? 0) > 0, 'after a time');
  const other = edge.start();
  other.end('connect_timeout');
  edge.loads(1000, 0.5, 0.5, 0.5);
  assert.ok((edge.requests(60)[other.index] ?? 0) > 0, 'after a report');
});

test('one failure among many requests is tolerated, many are not', () => {
  const edge = experienced();
  edge.loads(1000, 0.5, 0.5, 0.5);
  edge.requests(150);
  const once = edge.start();
  once.end('stall');
  assert.equal(edge.term(once.index, 'blockedSeconds'), 0);
  for (let i = 0; i < 60; i += 1) edge.start().end('cut');
  assert.ok([0, 1, 2].some((i) => edge.term(i, 'blockedSeconds') > 0));
});

test("a player who leaves is nobody's failure", () => {
  const edge = experienced();
  edge.loads(1000, 0.5, 0.5, 0.5);
  const pick = edge.start();
  pick.end('abandoned');
  assert.equal(edge.term(pick.index, 'blockedSeconds'), 0);
});

test('when all have failed, none is left out', () => {
  const edge = new Edge();
  edge.loads(0, 0.1, 0.1);
  for (const one of edge.list) {
    edge.policy.onStart(one, edge.context);
    edge.policy.onDone(one, 'connect_error', 1, edge.context);
  }
  assert.equal(
    edge.requests(20).reduce((a, b) => a + b, 0),
    20,
  );
});

test('slow first bytes count against a server, and are forgiven', () => {
  const edge = new Edge();
  edge.loads(0, 0.5, 0.5);
  const [slow, fast] = edge.list;
  assert.ok(slow !== undefined && fast !== undefined);
  for (let i = 0; i < 50; i += 1) {
    edge.policy.onFirstByte(fast, 20, edge.context);
    if (i % 10 === 0) edge.policy.onFirstByte(slow, 3000, edge.context);
  }
  assert.ok(edge.term(0, 'slowPenalty') > 0.3);
  assert.equal(edge.term(1, 'slowPenalty'), 0);
  assert.equal(edge.requests(20)[0], 0);
  for (let i = 0; i < 30; i += 1) edge.loads(1000, 0.5, 0.5);
  assert.equal(edge.term(0, 'slowPenalty'), 0);
});

test('a new server starts slowly', () => {
  const edge = experienced();
  edge.context.now += 60_000;
  const joined = edge.context.now;
  edge.report(1000, { load: 0.5 }, { load: 0.5 }, { load: 0.5 }, { load: 0, joinedAt: joined });
  const early = edge.requests(100)[3] ?? 0;
  edge.context.now = joined + 31_000;
  edge.report(0, { load: 0.5 }, { load: 0.5 }, { load: 0.5 }, { load: 0, joinedAt: joined });
  const late = edge.requests(100)[3] ?? 0;
  assert.ok(early < 12 && late > 20, `${early} of 100 at first, then ${late}`);
});

test('a late report is believed less and less', () => {
  const edge = experienced();
  edge.loads(1000, 0.2, 0.5, 0.9);
  const sharesHoldMs = edge.term(2, 'share');
  assert.equal(edge.term(2, 'belief'), 1);
  edge.context.now += 6000;
  const late = edge.term(2, 'share');
  edge.context.now += 30_000;
  assert.ok(edge.term(2, 'belief') < 0.01);
  const latest = edge.term(2, 'share');
  assert.ok(sharesHoldMs < late && late < latest, `${sharesHoldMs}, ${late}, ${latest}`);
});

test('an unknown load gets nothing beside known ones, and equal shares among its like', () => {
  const mixed = new Edge();
  mixed.loads(0, undefined, 0.9, Number.NaN, -1);
  assert.deepEqual(mixed.requests(40), [0, 40, 0, 0]);
  const unknown = new Edge();
  unknown.loads(0, undefined, undefined);
  assert.deepEqual(unknown.requests(40), [20, 20]);
});

test('a stream of ten times the bitrate counts ten times', () => {
  const edge = new Edge();
  edge.report(0, { load: undefined }, { load: undefined });
  const rich = edge.list.map((one) => ({ ...one, endpoint: { ...one.endpoint, bitrate: 6000 } }));
  const poor = edge.list.map((one) => ({ ...one, endpoint: { ...one.endpoint, bitrate: 600 } }));
  const heavy = edge.start(rich).index;
  const light = Array.from({ length: 10 }, () => edge.start(poor).index);
  assert.ok(light.filter((index) => index !== heavy).length >= 9, `${heavy}, then ${light}`);
});

test('a channel that is registered without a load takes nothing from what its server tells for another', () => {
  const edge = new Edge();
  edge.loads(0, 0.2, 0.9);
  assert.deepEqual(edge.requests(20), [20, 0]);
  const silent = candidate({ address: '10.0.0.0:80', channel: 'sport' });
  edge.policy.onReport(silent, edge.context);
  assert.deepEqual(edge.requests(20), [20, 0]);
});

test('a server that tells another load for each channel is judged by that of the channel', () => {
  const edge = new Edge();
  const told = (channel: string, address: string, load: number) => candidate({ channel, address, load, packetLoss: 0 });
  let news: Candidate[] = [];
  let sport: Candidate[] = [];
  for (let i = 0; i < 10; i += 1) {
    edge.context.now += 1000;
    news = [told('news', '10.0.0.0:80', 0.2), told('news', '10.0.0.1:80', 0.8)];
    sport = [told('sport', '10.0.0.0:80', 0.9), told('sport', '10.0.0.1:80', 0.3)];
    for (const one of [...news, ...sport]) edge.policy.onReport(one, edge.context);
    assert.deepEqual(edge.requests(10, news), [10, 0]);
    assert.deepEqual(edge.requests(10, sport), [0, 10]);
  }
});

test('loads that jump by chance are not taken for one, however badly each foretells itself', () => {
  const edge = new Edge();
  const { random } = context(3);
  const told = (channel: string, k: number) =>
    candidate({ channel, address: `10.0.0.${k}:80`, load: Math.round(100 * random()) / 100, packetLoss: 0 });
  for (let i = 0; i < 200; i += 1) {
    edge.context.now += 1000;
    const lists = ['news', 'sport', 'talk'].map((channel) => [told(channel, 0), told(channel, 1)]);
    for (const one of lists.flat()) edge.policy.onReport(one, edge.context);
    for (const list of lists) {
      const [first = 0, second = 0] = list.map(({ endpoint }) => endpoint.load ?? 0);
      if (Math.abs(first - second) < 0.1) continue;
      assert.deepEqual(edge.requests(3, list), first < second ? [3, 0] : [0, 3], `${i}: ${first}, ${second}`);
    }
  }
});

test('where a server tells one load for all its channels, the newest counts for each', () => {
  const edge = new Edge();
  const told = (channel: string, address: string, load: number) => candidate({ channel, address, load, packetLoss: 0 });
  let news: Candidate[] = [];
  for (let i = 0; i < 10; i += 1) {
    edge.context.now += 1000;
    const loads = i % 2 === 0 ? [0.2, 0.8] : [0.8, 0.2];
    news = loads.map((load, k) => told('news', `10.0.0.${k}:80`, load));
    const sport = loads.map((load, k) => told('sport', `10.0.0.${k}:80`, load));
    for (const one of [...news, ...sport]) edge.policy.onReport(one, edge.context);
  }
  edge.context.now += 1000;
  edge.policy.onReport(told('sport', '10.0.0.0:80', 0.1), edge.context);
  assert.equal(edge.requests(10, news)[0], 10);
});

test('channels on different servers do not push each other', () => {
  const edge = new Edge(10);
  edge.report(0, ...[0.9, 0.9, 0.2, 0.3].map((load) => ({ load })));
  for (let i = 0; i < 50; i += 1) {
    edge.report(1000, ...[0.9, 0.9, 0.2, 0.3].map((load) => ({ load })));
    edge.requests(10, edge.list.slice(0, 2));
    edge.requests(10, edge.list.slice(2));
  }
  const busy = edge.list.slice(0, 2);
  const shares = [edge.term(0, 'share', busy), edge.term(1, 'share', busy)];
  assert.ok(
    shares.every((share) => Math.abs(share - 0.5) < 0.1),
    String(shares),
  );
});

test('many channels of one server report once', () => {
  const edge = new Edge();
  for (let i = 0; i < 10; i += 1) {
    edge.loads(5000, 0.5, 0.6);
    for (let channel = 0; channel < 20; channel += 1) edge.loads(1, 0.5, 0.6);
    edge.requests(10);
  }
  assert.ok(edge.term(0, 'reportIntervalSeconds') > 4);
});

test('an explanation names every term and changes no pick', () => {
  const [asked, silent] = [experienced(), experienced()];
  for (let i = 0; i < 50; i += 1) {
    asked.policy.pick(asked.list, asked.context);
    for (const one of asked.list) {
      const terms = asked.policy.terms(one, asked.context, asked.list);
      assert.ok(Object.values(terms).every((value) => value === undefined || Number.isFinite(value)));
    }
    assert.equal(asked.start().index, silent.start().index);
  }
  const [one] = asked.list;
  assert.ok(one !== undefined);
  assert.equal(asked.policy.terms(one, asked.context, [])['share'], 0);
});

test('a server that left is forgotten, and what it still has in flight ends without harm', () => {
  const edge = new Edge();
  edge.loads(0, 0.2, 0.2);
  const pick = edge.start();
  for (const i of [0, 1]) edge.policy.onLeave(`http://10.0.0.${i}:80` as ServerOrigin);
  pick.end();
  assert.deepEqual(edge.policy.status(edge.context), { gain: 0, busiest: [] });
});

test('its status has the shares of the ten busiest at most', () => {
  const edge = new Edge();
  edge.loads(0, ...Array.from({ length: 30 }, () => 0.5));
  edge.requests(90);
  const { busiest } = edge.policy.status(edge.context);
  assert.equal(busiest.length, 10);
  assert.deepEqual(
    busiest,
    [...busiest].sort((a, b) => b - a),
  );
});
