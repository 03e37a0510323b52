// The plans of channels between the supervisor and its workers.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AskedPlans } from '../../src/cluster/asked-plans.js';
import type { SupervisorMessage } from '../../src/cluster/messages.js';
import { News } from '../../src/cluster/news.js';
import { PlanLedger, type PlanShelf } from '../../src/cluster/plan-ledger.js';
import type { PlanNews } from '../../src/data-plane/contract.js';
import type { ChannelName } from '../../src/model.js';

const channel = 'news' as ChannelName;
const there: PlanNews = { available: true, version: 3, text: 'a plan' };

class Shelf implements PlanShelf {
  readonly listeners = new Set<(news: PlanNews) => void>();
  readonly writes: (readonly [string, number, string])[] = [];
  isFull = false;

  watch(_channel: string, heard: (news: PlanNews) => void): (() => void) | undefined {
    if (this.isFull) return undefined;
    this.listeners.add(heard);
    return () => this.listeners.delete(heard);
  }

  write(name: string, version: number, text: string): void {
    this.writes.push([name, version, text]);
  }

  tell(news: PlanNews): void {
    for (const heard of this.listeners) heard(news);
  }
}

interface FakeWorker {
  readonly id: number;
  readonly plans: AskedPlans;
  send(message: SupervisorMessage): boolean;
  hears: boolean;
  readonly secrets: string[];
}

function setting(isFull = false) {
  const shelf = new Shelf();
  shelf.isFull = isFull;
  const news = new News<FakeWorker>();
  const identity = { edge: 'edge', machineSecret: 'of the machine' };
  const ledger = new PlanLedger<FakeWorker>({ all: () => [worker] }, news, { identity, plans: shelf });
  const plans: AskedPlans = new AskedPlans('edge', (message) => news.emit(worker, message));
  const worker: FakeWorker = {
    id: 1,
    plans,
    hears: true,
    secrets: [],
    send: (message) => {
      if (message.kind === 'sign-with') worker.secrets.push(message.secret);
      if (message.kind === 'plan' && worker.hears) plans.heard(message.channel, message.news);
      return worker.hears;
    },
  };
  return { shelf, ledger, worker };
}

function listen({ plans }: FakeWorker) {
  const heard: PlanNews[] = [];
  return { heard, watch: plans.watch(channel, (news) => heard.push(news)) };
}

test('sessions of a worker share a watch, hear what is there, and write by way of the supervisor', () => {
  const { shelf, worker } = setting();
  const one = listen(worker);
  shelf.tell(there);
  const other = listen(worker);
  assert.equal(shelf.listeners.size, 1);
  assert.deepEqual([one.heard, other.heard], [[there], [there]]);
  one.watch.write(3, 'the next');
  assert.deepEqual(shelf.writes, [['news', 3, 'the next']]);
  one.watch.close();
  assert.equal(shelf.listeners.size, 1);
  other.watch.close();
  assert.equal(shelf.listeners.size, 0);
});

test('a worker that missed news is told anew, and one that is gone watches nothing', () => {
  const { shelf, ledger, worker } = setting();
  const { heard } = listen(worker);
  worker.hears = false;
  shelf.tell(there);
  assert.deepEqual(heard, []);
  worker.hears = true;
  ledger.resend(worker);
  assert.deepEqual(heard, [there]);
  ledger.forget(worker);
  assert.equal(shelf.listeners.size, 0);
});

test('where too many are watched a worker hears that nothing can be agreed', () => {
  const { worker } = setting(true);
  const { heard } = listen(worker);
  assert.deepEqual(heard, [{ available: false, version: -1, text: undefined }]);
});

test('all workers sign with the secret of the fleet, those that come later too', () => {
  const { ledger, worker } = setting();
  const self = { slot: 0, id: 1, name: 'one', socket: '/nowhere' };
  assert.equal(ledger.forNewcomer(self).identity.machineSecret, 'of the machine');
  ledger.signWith('of the fleet');
  assert.deepEqual(worker.secrets, ['of the fleet']);
  assert.equal(ledger.forNewcomer(self).identity.machineSecret, 'of the fleet');
});
