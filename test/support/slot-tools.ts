// What slots work with: processes that the test plays, pauses that the test ends.

import type { SlotTools } from '../../src/cluster/slot.js';
import { WorkerProcess } from '../../src/cluster/worker-process.js';
import { configSchema } from '../../src/config-schema.js';
import { silentLogger } from '../../src/log.js';
import { SnapshotStore } from '../../src/snapshot/store.js';
import { FakeChildren, fakeSocket } from './fake-child.js';

export class ScriptedSlots {
  readonly children = new FakeChildren();
  readonly workers: WorkerProcess[] = [];
  readonly #store = new SnapshotStore();
  /** ms of each pause; all end at once. */
  readonly pauses: number[] = [];
  /** How often another set of workers served. */
  changes = 0;
  now = 0;
  /** Called when a process has ended. */
  lost: (worker: WorkerProcess) => void = () => undefined;

  readonly tools: SlotTools = {
    spawn: (slot) => this.#spawn(slot),
    changed: () => {
      this.changes += 1;
    },
    logger: silentLogger,
    now: () => this.now,
    random: () => 1,
    pause: async (ms) => void this.pauses.push(ms),
  };

  #spawn(slot: number): WorkerProcess {
    const config = configSchema.parse({ shutdown: { grace: '0s' } });
    const worker = new WorkerProcess({
      id: this.workers.length + 1,
      slot,
      deployment: { config, socket: fakeSocket() },
      child: this.children.fork(),
      handlers: {
        start: () => ({ kind: 'start' }) as never,
        caughtUp: () => undefined,
        news: () => undefined,
        exited: (gone) => this.lost(gone),
      },
      snapshot: () => this.#store.current,
      now: () => this.now,
    });
    this.workers.push(worker);
    return worker;
  }
}
