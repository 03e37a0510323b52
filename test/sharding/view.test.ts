import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Balancer } from '../../src/balancer/balancer.js';
import { createPolicy } from '../../src/balancer/policies.js';
import { WeirError } from '../../src/errors.js';
import type { ChannelName, Update } from '../../src/model.js';
import { isPeer, parseServiceAddress, peerServer } from '../../src/net-address.js';
import { type Member, ownerOf } from '../../src/sharding/owner.js';
import { PeerPicks } from '../../src/sharding/picks.js';
import { PeerView } from '../../src/sharding/view.js';
import { SnapshotStore } from '../../src/snapshot/store.js';
import { endpoint, testConfig } from '../support/data-plane.js';

const member = (slot: number, name = `w${slot}`): Member => ({ slot, name, socket: `/${name}` });
const workers = [member(0), member(1)];
/** A channel of each worker. */
const names = Array.from({ length: 50 }, (_, index) => `channel-${index}` as ChannelName);
const owned = (slot: number) =>
  names.find((name) => ownerOf(name, workers)?.slot === slot) ?? names[0] ?? ('' as ChannelName);
const [mine, theirs] = [owned(0), owned(1)];

const full = (revision: number, ...endpoints: ReturnType<typeof endpoint>[]): Update => ({
  kind: 'full',
  revision,
  state: 'live',
  endpoints,
});
function start() {
  const store = new SnapshotStore();
  store.accept(
    full(1, endpoint(mine, '127.0.0.1:1000'), endpoint(theirs, '127.0.0.1:1000'), endpoint(theirs, '127.0.0.1:2000')),
  );
  const view = new PeerView('w0', store);
  const changes: string[] = [];
  const leave = [mine, theirs].map((name) => view.follow(name, () => changes.push(`${name} ${addresses(view, name)}`)));
  return { store, view, changes, leave: () => leave.forEach((each) => void each()) };
}
const addresses = (view: PeerView, channel: ChannelName) =>
  view.channel(channel)?.endpoints.map(({ address }) => String(address));

test('before it knows of others, a worker has every channel', () => {
  const { view } = start();
  assert.deepEqual(addresses(view, theirs), ['127.0.0.1:1000', '127.0.0.1:2000']);
  assert.equal(view.owns(theirs), true);
  assert.equal(view.elsewhere(theirs), undefined);
});

test('a channel of another worker has that worker as its only endpoint', () => {
  const { view } = start();
  view.setMembers(workers);
  assert.deepEqual(addresses(view, mine), ['127.0.0.1:1000']);
  assert.deepEqual(addresses(view, theirs), [peerServer('w1')]);
});

test('a worker that is replaced is another endpoint, of which those who follow hear', () => {
  const { view, changes } = start();
  view.setMembers(workers);
  changes.length = 0;
  view.setMembers([member(0), member(1, 'w1-again')]);
  assert.deepEqual(changes, [`${mine} 127.0.0.1:1000`, `${theirs} ${peerServer('w1-again')}`]);
});

test('a worker that is gone leaves its channels to the endpoints', () => {
  const { view } = start();
  view.setMembers(workers);
  view.setMembers([member(0)]);
  assert.deepEqual(addresses(view, theirs), ['127.0.0.1:1000', '127.0.0.1:2000']);
});

test('the registry is followed, of channels here and elsewhere', () => {
  const { store, view, changes } = start();
  view.setMembers(workers);
  changes.length = 0;
  const report = endpoint(theirs, '127.0.0.1:1000', { version: 2, load: 0.9 });
  store.accept({ kind: 'delta', base: 1, revision: 2, state: 'live', put: [report], drop: [] });
  assert.deepEqual(changes, [`${theirs} ${peerServer('w1')}`], 'the same as before');
  store.accept(full(3, endpoint(mine, '127.0.0.1:3000')));
  assert.equal(view.channel(theirs), undefined);
  assert.deepEqual(addresses(view, mine), ['127.0.0.1:3000']);
});

test('new members cost as much as there are streams, whatever number of channels is registered', () => {
  const { store, view, changes, leave } = start();
  const channels = Array.from({ length: 2_000 }, (_, i) => endpoint(`c${i}`, '127.0.0.1:1000'));
  store.accept(full(2, ...channels));
  let asked = 0;
  const members = new Proxy(workers, {
    get: (target, key) => {
      if (key === Symbol.iterator) asked += 1;
      return Reflect.get(target, key);
    },
  });
  changes.length = 0;
  view.setMembers(members);
  assert.equal(changes.length, 2);
  assert.ok(asked <= 2, `owners were computed ${asked} times`);
  leave();
  view.setMembers(workers);
  assert.equal(changes.length, 2, 'who left hears nothing');
});

test('a worker that drains keeps the streams of its slot, and has nothing for whoever asks', () => {
  const { view } = start();
  view.keepOwn(member(0));
  view.setMembers([member(0, 'w0-again'), member(1)]);
  assert.equal(view.owns(mine), true);
  assert.deepEqual(addresses(view, mine), ['127.0.0.1:1000']);
  assert.deepEqual(addresses(view, theirs), [peerServer('w1')]);
  assert.equal(view.elsewhere(mine)?.kind, 'worker');
  assert.equal(view.ownerOf(mine)?.name, 'w0-again');
});

test('a pick for a channel of another worker is that worker, and costs no endpoint a thing', () => {
  const { store, view } = start();
  const { balancer: settings } = testConfig();
  const balancer = new Balancer({
    store,
    policy: createPolicy('lowest'),
    settings: { ...settings, edges: 1 },
    observer: { picked() {}, ejected() {}, refused() {} },
    addressAllowed: () => true,
    now: () => 0,
    random: () => 0,
  });
  const picks = new PeerPicks(view, balancer);
  view.setMembers(workers);
  const pick = picks.pick(theirs);
  assert.equal(pick.server, peerServer('w1'));
  assert.deepEqual(balancer.inFlightChanges(), []);
  pick.done('cut');
  assert.equal(picks.pick(mine).server, 'http://127.0.0.1:1000');
  assert.equal(balancer.inFlightChanges().length, 1);
  const code = (run: () => unknown) => {
    try {
      run();
    } catch (error) {
      return error instanceof WeirError ? error.code : error;
    }
    return undefined;
  };
  assert.equal(
    code(() => picks.pick(theirs, { exclude: [peerServer('w1')] })),
    'worker_lost',
  );
  assert.equal(
    code(() => picks.pick('nobody' as ChannelName)),
    'unknown_channel',
  );
});

test('no endpoint can register the address of a worker', () => {
  assert.equal(isPeer(peerServer('worker-3')), true);
  assert.equal(parseServiceAddress(peerServer('worker-3')), undefined);
  assert.equal(parseServiceAddress('~worker-3:1'), undefined);
});
