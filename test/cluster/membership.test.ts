import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Membership } from '../../src/cluster/membership.js';
import type { SupervisorMessage } from '../../src/cluster/messages.js';
import type { SessionState } from '../../src/data-plane/contract.js';
import type { ChannelName } from '../../src/model.js';
import { type Member, ownerOf } from '../../src/sharding/owner.js';

interface Worker {
  readonly id: number;
  readonly slot: number;
  readonly heard: SupervisorMessage[];
  send(message: SupervisorMessage): boolean;
}

function worker(id: number, slot: number): Worker {
  const heard: SupervisorMessage[] = [];
  return {
    id,
    slot,
    heard,
    send: (message) => {
      heard.push(message);
      return true;
    },
  };
}

const channels = Array.from({ length: 40 }, (_, index) => `channel-${index}`);
const slots = (...numbers: number[]): Member[] => numbers.map((slot) => ({ slot, name: '', socket: '' }));
const ofSlot = (slot: number, ...all: number[]) =>
  channels.filter((channel) => ownerOf(channel, slots(...all))?.slot === slot);

function start(socketFolder = '/sockets') {
  const sessions = channels.map((channel) => ({ key: channel, channel }) as SessionState);
  const serving: Worker[] = [];
  const starting: Worker[] = [];
  const ledger = { of: (owns: (channel: string) => boolean) => sessions.filter(({ channel }) => owns(channel)) };
  const workers = { serving: () => serving, all: () => [...serving, ...starting] };
  return { serving, starting, membership: new Membership(workers, ledger, socketFolder) };
}

/** What a worker was told, in short. */
const told = ({ heard }: Worker) =>
  heard.splice(0).map((message) => {
    if (message.kind === 'members') return message.members.map(({ name }) => name);
    return message.kind === 'adopt' ? message.sessions.map(({ channel }) => channel) : message.kind;
  });

test('a worker that starts is told of the members as they will be, and gets the sessions of its channels', () => {
  const { serving, membership } = start();
  serving.push(worker(1, 0), worker(2, 1));
  const { self, members, sessions } = membership.forNewcomer(worker(3, 1));
  assert.deepEqual(self, { slot: 1, name: 'worker-3', socket: '/sockets/3.sock' });
  assert.deepEqual(
    members.map(({ name }) => name),
    ['worker-1', 'worker-3'],
    'it takes the place of the one in its slot',
  );
  assert.deepEqual(
    sessions.map(({ channel }) => channel),
    ofSlot(1, 0, 1),
  );
});

test('when a worker goes, the others are told who is left, and first get the sessions that are theirs now', () => {
  const { serving, membership } = start();
  const [one, other] = [worker(1, 0), worker(2, 1)];
  serving.push(one, other);
  membership.publish();
  assert.deepEqual(told(one), [ofSlot(0, 0, 1), ['worker-1', 'worker-2']]);
  told(other);
  serving.pop();
  membership.publish();
  assert.deepEqual(told(one), [ofSlot(1, 0, 1), ['worker-1']], 'only those that it had not');
  membership.publish();
  assert.deepEqual(told(one), [['worker-1']], 'nothing moved');
});

test('a worker that does not serve hears of the members and adopts nothing', () => {
  const { serving, starting, membership } = start();
  const draining = worker(1, 0);
  starting.push(draining);
  serving.push(worker(2, 0));
  membership.publish();
  assert.deepEqual(told(draining), [['worker-2']]);
});

test('a worker that missed something gets all sessions of its channels again', () => {
  const { serving, membership } = start();
  const [one, other] = [worker(1, 0), worker(2, 1)];
  serving.push(one, other);
  membership.publish();
  told(one);
  membership.resend(one);
  assert.deepEqual(told(one), [ofSlot(0, 0, 1), ['worker-1', 'worker-2']]);
});

test('a channel is owned by one of those that serve, and by nobody while none does', () => {
  const { serving, membership } = start();
  assert.equal(membership.ownerOf('channel-0' as ChannelName), undefined);
  serving.push(worker(1, 0), worker(2, 1));
  for (const channel of ofSlot(1, 0, 1)) assert.equal(membership.ownerOf(channel as ChannelName)?.id, 2);
});

test('the socket of a worker that is gone is removed, and one that is not there is no failure', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'weir-membership-'));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, '1.sock'), '');
  writeFileSync(join(folder, '2.sock'), '');
  const { membership } = start(folder);
  await membership.bury(worker(1, 0));
  await membership.bury(worker(1, 0));
  assert.deepEqual(readdirSync(folder), ['2.sock']);
});
