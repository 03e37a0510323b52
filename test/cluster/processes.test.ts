import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { Processes } from '../../src/cluster/processes.js';
import type { WorkerState } from '../../src/cluster/worker-parts.js';

class Worker {
  state: WorkerState = 'draining';
  end: () => void = () => {};
  readonly exited: Promise<string>;
  readonly silent: Promise<void>;

  constructor(readonly id: number) {
    this.exited = new Promise((resolve) => {
      this.end = () => {
        this.state = 'gone';
        resolve('exit 0');
      };
    });
    this.silent = this.exited.then(() => undefined);
  }
}

const add = (processes: Processes<Worker>) => processes.add((id) => new Worker(id));

test('no number is given twice, and a process that could not be started takes none', () => {
  const processes = new Processes<Worker>();
  const first = add(processes);
  assert.throws(() =>
    processes.add(() => {
      throw new Error('spawn ENOMEM');
    }),
  );
  processes.delete(first);
  const second = add(processes);
  assert.deepEqual([first.id, second.id], [1, 2]);
  assert.deepEqual([...processes], [second]);
});

test('there is room to drain as soon as fewer than the limit drain, or when all is over', async () => {
  const processes = new Processes<Worker>();
  const [one, other, third] = [add(processes), add(processes), add(processes)];
  third.state = 'serving';
  let over = false;
  const rooms: string[] = [];
  const wait = (name: string, limit: number) => processes.roomToDrain(limit, () => over).then(() => rooms.push(name));
  await wait('enough', 3);
  const little = wait('one less', 2);
  const none = wait('none', 1);
  await setImmediate();
  assert.deepEqual(rooms, ['enough']);
  one.end();
  await little;
  await setImmediate();
  assert.deepEqual(rooms, ['enough', 'one less']);
  other.end();
  await none;
  over = true;
  add(processes);
  await wait('over', 0);
});

test('all are silent when the last one is', async () => {
  const processes = new Processes<Worker>();
  const [one, other] = [add(processes), add(processes)];
  let silent = false;
  const waited = processes.silent().then(() => {
    silent = true;
  });
  one.end();
  await setImmediate();
  assert.equal(silent, false);
  other.end();
  await waited;
});
