// What no edge uses any more is removed, by one edge, and nothing else.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlanSweep, passEveryMs, unusedAfterMs } from '../../src/fleet/plan-sweep.js';
import { FakeFleet, type FakeFleetSession } from '../support/fake-fleet.js';

const turns = async () => {
  for (let count = 0; count < 10; count += 1) await new Promise(setImmediate);
};

class Clock {
  now = 0;
  #waiting: { readonly at: number; readonly run: () => void }[] = [];

  after = (ms: number, run: () => void): (() => void) => {
    const entry = { at: this.now + ms, run };
    this.#waiting.push(entry);
    return () => {
      this.#waiting = this.#waiting.filter((each) => each !== entry);
    };
  };

  async pass(ms: number): Promise<void> {
    const until = this.now + ms;
    for (;;) {
      await turns();
      const [next] = this.#waiting.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#waiting = this.#waiting.filter((each) => each !== next);
      this.now = next.at;
      next.run();
    }
    this.now = until;
  }
}

function sweeper(session: FakeFleetSession, clock: Clock, swept: (plans: number) => void = () => undefined): PlanSweep {
  const { after } = clock;
  const paths = { election: '/weir/elections/hls-plans', folder: '/weir/hls' };
  return new PlanSweep({ session, ...paths, edge: 'edge', now: () => clock.now, after, swept });
}

test('a plan that nobody wrote to for hours is removed; one that is in use stays', async () => {
  const fleet = new FakeFleet();
  const clock = new Clock();
  const session = fleet.connect();
  fleet.make('/weir/hls/old', '{}', undefined, false);
  fleet.make('/weir/hls/used', '{}', undefined, false);
  let swept = 0;
  const sweep = sweeper(session, clock, (plans) => {
    swept += plans;
  });
  for (let version = 0; clock.now <= unusedAfterMs + 2 * passEveryMs; version += 1) {
    await clock.pass(passEveryMs / 2);
    await session.set('/weir/hls/used', '{}', version);
  }
  assert.deepEqual(fleet.below('/weir/hls'), ['used']);
  assert.equal(swept, 1);
  await Promise.all([sweep.close(), turns()]);
});

test('one edge reads the plans, whoever else stands ready', async () => {
  const fleet = new FakeFleet();
  const clock = new Clock();
  const sessions = [fleet.connect(), fleet.connect()];
  fleet.make('/weir/hls/news', '{}', undefined, false);
  const sweeps = sessions.map((session) => sweeper(session, clock));
  await clock.pass(passEveryMs / 2);
  assert.equal(fleet.reads.filter((read) => read === 'list /weir/hls').length, 1);
  await Promise.all([...sweeps.map((sweep) => sweep.close()), turns()]);
});
