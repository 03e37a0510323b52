import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import type { Endpoint, EndpointId, Update } from '../../src/model.js';
import { SnapshotBuilder } from '../../src/snapshot/builder.js';
import { SnapshotStore } from '../../src/snapshot/store.js';
import { endpoint } from '../support/data-plane.js';

let updates: Update[];
let store: SnapshotStore;
let builder: SnapshotBuilder;
let massDrops: number[];
let now: number;

beforeEach(() => {
  mock.timers.enable({ apis: ['setTimeout'] });
  updates = [];
  massDrops = [];
  now = 0;
  store = new SnapshotStore();
  builder = new SnapshotBuilder({
    publish: (update) => {
      updates.push(update);
      assert.ok(store.accept(update), 'every update builds on the one before');
    },
    note: () => undefined,
    eventDelay: () => undefined,
    massDropped: (endpoints) => massDrops.push(endpoints),
    massDrop: { share: 0.5, minimum: 4, window: 2_000, keep: 30_000 },
    now: () => now,
  });
});
afterEach(() => {
  builder.close();
  mock.timers.reset();
});

function pass(milliseconds: number): void {
  now += milliseconds;
  mock.timers.tick(milliseconds);
}
const turn = () => Promise.resolve();
const origin = (n: number, values: Partial<Endpoint> = {}) => endpoint('news', `10.0.0.${n}:80`, values);
const addresses = (resort = false) =>
  (store.channel(origin(1).channel)?.endpoints ?? [])
    .filter((one) => (one.lastResort ?? false) === resort)
    .map((one) => one.address as string);
function live(...endpoints: Endpoint[]): void {
  builder.replace(endpoints);
  builder.status('live');
}
const ten = Array.from({ length: 10 }, (_, i) => origin(i + 1));
/** The only endpoint of a channel of its own. */
const alone = (n: number, values: Partial<Endpoint> = {}) => endpoint(`c${n}`, `10.0.0.${n}:80`, values);
const tenAlone = Array.from({ length: 10 }, (_, i) => alone(i + 1));
const numbers = (resort: boolean) =>
  [...store.current.channels.values()]
    .flatMap(({ endpoints }) => endpoints)
    .filter((one) => (one.lastResort ?? false) === resort)
    .map(({ address }) => Number(/(\d+):80$/.exec(address)?.[1]))
    .sort((a, b) => a - b);
const lastResorts = () => numbers(true);
const registered = () => numbers(false);

test('a full read becomes a live snapshot', () => {
  live(origin(1), origin(2));
  assert.equal(store.current.state, 'live');
  assert.deepEqual(addresses(), ['10.0.0.1:80', '10.0.0.2:80']);
});

test('reports that follow each other closely are gathered and published as one update', async () => {
  live(origin(1), origin(2));
  updates.length = 0;
  for (let version = 2; version < 100; version++) {
    builder.put(origin(1, { version, load: version / 100 }));
    await turn();
  }
  assert.equal(updates.length, 0);
  pass(10);
  assert.equal(updates.length, 1);
  assert.equal(store.channel(origin(1).channel)?.endpoints[0]?.load, 0.99);
});

test('the more reports there are, the longer they are gathered: up to 100 ms', async () => {
  live(origin(1));
  const publishedIn = async (milliseconds: number, reportsPerMs: number) => {
    updates.length = 0;
    for (let ms = 0; ms < milliseconds; ms += 1) {
      for (let i = 0; i < reportsPerMs; i += 1) builder.put(origin(1, { version: now + 2, load: Math.random() }));
      await turn();
      pass(1);
    }
    return updates.length;
  };
  const atOne = await publishedIn(1_000, 1);
  assert.ok(atOne >= 80 && atOne <= 110, `one a millisecond: ${atOne}`);
  await publishedIn(200, 50);
  const atFifty = await publishedIn(1_000, 50);
  assert.ok(atFifty >= 9 && atFifty <= 11, `fifty a millisecond: ${atFifty}`);
  await publishedIn(200, 1);
  const again = await publishedIn(1_000, 1);
  assert.ok(again >= 80 && again <= 110, `one a millisecond again: ${again}`);
});

test('where very many vanish they are gathered, and afterwards one is out in its turn again', async () => {
  const many = Array.from({ length: 2_000 }, (_, i) => endpoint(`c${i}`, '10.0.0.1:80'));
  live(...many, ...Array.from({ length: 3_000 }, (_, i) => endpoint(`d${i}`, '10.0.0.2:80')));
  pass(1_000);
  updates.length = 0;
  for (const [i, { id }] of many.entries()) {
    builder.drop(id);
    await turn();
    if (i % 2 === 1) pass(1);
  }
  pass(100);
  assert.equal(store.current.channels.size, 3_000);
  assert.ok(updates.length <= 50 + 1_000 / 10, `${updates.length} updates for 2,000 turns`);
  pass(1_000);
  builder.drop(endpoint('d1', '10.0.0.2:80').id);
  await turn();
  assert.equal(store.current.channels.size, 2_999);
});

test('a report after a quiet time is published in the same turn', async () => {
  live(origin(1));
  pass(10);
  builder.put(origin(1, { version: 2, load: 0.7 }));
  builder.put(origin(2));
  await turn();
  assert.equal(updates.length, 3);
  assert.equal(addresses().length, 2);
});

test('a single deleted endpoint is out in the same turn, with the reports that were waiting', async () => {
  live(origin(1), origin(2));
  builder.put(origin(2, { version: 2, load: 0.7 }));
  builder.drop(origin(1).id);
  await turn();
  assert.deepEqual(addresses(), ['10.0.0.2:80']);
  assert.equal(store.channel(origin(1).channel)?.endpoints[0]?.load, 0.7);
  assert.deepEqual(massDrops, []);
});

test('the only endpoint of a channel is out at once, and the channel with it', async () => {
  live(origin(1));
  builder.drop(origin(1).id);
  await turn();
  assert.equal(store.current.channels.size, 0);
});

test('a full read publishes only the true difference', () => {
  live(origin(1), origin(2));
  updates.length = 0;
  builder.replace([origin(2), origin(3)]);
  assert.equal(updates.length, 1);
  const [update] = updates;
  assert.ok(update?.kind === 'delta');
  assert.deepEqual(
    update.put.map((one) => one.address),
    ['10.0.0.3:80'],
  );
  assert.deepEqual(
    update.drop.map((one) => one.id),
    [origin(1).id],
  );
});

test('a full read without a difference publishes nothing', () => {
  live(origin(1));
  updates.length = 0;
  builder.replace([origin(1)]);
  assert.equal(updates.length, 0);
});

test('while the registry is out of reach the last picture stays', () => {
  live(origin(1));
  builder.status('stale');
  assert.equal(store.current.state, 'stale');
  assert.deepEqual(addresses(), ['10.0.0.1:80']);
});

test('a registry that was never reached is pending, not stale', () => {
  builder.status('stale');
  assert.equal(store.current.state, 'pending');
});

test('most endpoints vanishing within the window are kept as a last resort, and dropped after a time', async () => {
  live(...tenAlone);
  for (const one of tenAlone.slice(0, 6)) builder.drop(one.id);
  await turn();
  assert.deepEqual(registered(), [7, 8, 9, 10]);
  assert.deepEqual(lastResorts(), [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(massDrops, [6]);
  pass(30_001);
  assert.deepEqual(lastResorts(), []);
  assert.deepEqual(registered(), [7, 8, 9, 10]);
});

test('endpoints that vanish one by one within the window come back as a last resort once they are most', async () => {
  live(...tenAlone);
  for (const one of tenAlone.slice(0, 6)) {
    builder.drop(one.id);
    await turn();
    pass(100);
  }
  assert.deepEqual(lastResorts(), [1, 2, 3, 4, 5, 6]);
});

test('an origin that leaves with most of all endpoints is gone from the channels that others serve', async () => {
  const leaving = tenAlone.map(({ channel }) => endpoint(channel, '10.0.0.99:80'));
  live(...tenAlone.slice(1), ...leaving);
  for (const one of leaving) {
    builder.drop(one.id);
    await turn();
  }
  assert.deepEqual(massDrops, [1]);
  assert.deepEqual(registered(), [2, 3, 4, 5, 6, 7, 8, 9, 10]);
  assert.deepEqual(lastResorts(), [99], 'only the channel that nobody else serves keeps it');
  assert.equal(store.channel(alone(1).channel)?.endpoints.length, 1);
});

test('endpoints that vanish slower than the window are simply gone', async () => {
  live(...ten);
  for (const one of ten.slice(0, 9)) {
    builder.drop(one.id);
    await turn();
    pass(1_100);
  }
  assert.deepEqual(massDrops, []);
  assert.equal(addresses().length, 1);
});

test('half of them vanishing is no mass drop', async () => {
  live(...ten);
  for (const one of ten.slice(0, 5)) builder.drop(one.id);
  await turn();
  assert.deepEqual(massDrops, []);
  assert.equal(addresses(true).length, 0);
});

test('three of three vanishing is no mass drop: it takes four', async () => {
  live(origin(1), origin(2), origin(3));
  for (const n of [1, 2, 3]) builder.drop(origin(n).id);
  await turn();
  assert.deepEqual(massDrops, []);
  assert.equal(store.current.channels.size, 0);
});

test('a last resort that registers again is an ordinary endpoint at once', async () => {
  live(...tenAlone);
  for (const one of tenAlone) builder.drop(one.id);
  await turn();
  assert.equal(lastResorts().length, 10);
  builder.put(alone(1, { version: 2 }));
  pass(10);
  assert.deepEqual(registered(), [1]);
  pass(30_000);
  assert.deepEqual(registered(), [1]);
  assert.deepEqual(lastResorts(), []);
});

test('a last resort that registers again under another name is there once', async () => {
  live(...tenAlone);
  for (const one of tenAlone) builder.drop(one.id);
  await turn();
  builder.put(alone(1, { id: 'made again' as EndpointId }));
  pass(10);
  assert.deepEqual(registered(), [1]);
  assert.equal(store.channel(alone(1).channel)?.endpoints.length, 1);
  assert.equal(lastResorts().length, 9);
});

test('a picture that lacks most of what was known before the outage is not believed', () => {
  live(...tenAlone);
  builder.status('stale');
  live(alone(1));
  assert.deepEqual(registered(), [1]);
  assert.deepEqual(lastResorts(), [2, 3, 4, 5, 6, 7, 8, 9, 10]);
  assert.deepEqual(massDrops, [9]);
  pass(30_001);
  assert.deepEqual(lastResorts(), []);
});

test('a registry of two that lost its data keeps both as last resorts', () => {
  live(alone(1), alone(2));
  builder.status('stale');
  live();
  assert.deepEqual(lastResorts(), [1, 2]);
});

test('a picture read while the registry was in reach is doubted like one after an outage', () => {
  live(...tenAlone);
  builder.replace([]);
  assert.equal(lastResorts().length, 10);
});

test('a picture that lacks half of what was known is believed', () => {
  live(...tenAlone);
  builder.status('stale');
  live(...tenAlone.slice(5));
  assert.deepEqual(massDrops, []);
  assert.equal(store.current.channels.size, 5);
});

test('whatever a picture lacks, a channel that has an endpoint left keeps no last resort', () => {
  live(...ten);
  builder.status('stale');
  live(origin(1));
  assert.deepEqual(addresses(), ['10.0.0.1:80']);
  assert.deepEqual(addresses(true), []);
});

test('what is deleted while everything is read again waits for the picture, and is judged with it', async () => {
  live(...tenAlone);
  builder.status('stale');
  for (const one of tenAlone) builder.drop(one.id);
  await turn();
  assert.equal(registered().length, 10);
  live();
  assert.equal(lastResorts().length, 10);
});

test('the clock of last resorts stands while the registry is out of reach, and begins anew when it is back', async () => {
  live(...tenAlone);
  for (const one of tenAlone) builder.drop(one.id);
  await turn();
  pass(20_000);
  builder.status('stale');
  pass(3_600_000);
  assert.equal(lastResorts().length, 10);
  live(alone(1));
  pass(29_000);
  assert.equal(lastResorts().length, 9);
  pass(1_001);
  assert.deepEqual(lastResorts(), []);
});

test('last resorts that a file had kept get their time when the registry is back', () => {
  builder.restore([alone(1, { lastResort: true }), alone(2)]);
  pass(3_600_000);
  assert.deepEqual(lastResorts(), [1]);
  live(alone(2));
  assert.deepEqual(lastResorts(), [1]);
  pass(30_001);
  assert.deepEqual(lastResorts(), []);
  assert.deepEqual(registered(), [2]);
});

test('a restored snapshot is stale until the registry is read, which replaces it', () => {
  builder.restore([origin(1), origin(2)]);
  assert.equal(store.current.state, 'stale');
  assert.equal(addresses().length, 2);
  live(origin(2));
  assert.equal(store.current.state, 'live');
  assert.deepEqual(addresses(), ['10.0.0.2:80']);
});

test('a registry that is empty at the start leaves what the file had kept as a last resort for a time', () => {
  builder.restore(ten);
  live();
  assert.equal(addresses(true).length, 10);
  pass(30_001);
  assert.equal(store.current.channels.size, 0);
});

test('a drop of an unknown endpoint changes nothing', async () => {
  live(origin(1));
  updates.length = 0;
  builder.drop('nobody' as EndpointId);
  await turn();
  assert.equal(updates.length, 0);
});
