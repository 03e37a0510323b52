import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InFlightLedger } from '../../src/cluster/in-flight.js';
import type { InFlight, SupervisorMessage } from '../../src/cluster/messages.js';
import { News } from '../../src/cluster/news.js';
import type { ServerOrigin } from '../../src/model.js';

const [a, b] = ['http://a:1', 'http://b:1'] as ServerOrigin[] as [ServerOrigin, ServerOrigin];

test('each worker is told what all the others have in flight, once for reports that come together', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const workers = [1, 2, 3].map((id) => {
    const told: InFlight[] = [];
    const send = (message: SupervisorMessage) => message.kind === 'in-flight' && told.push(message.counts) > 0;
    return { id, told, send };
  });
  type Worker = (typeof workers)[number];
  const [first, second, third] = workers as [Worker, Worker, Worker];
  const news = new News<Worker>();
  const ledger = new InFlightLedger({ serving: () => workers, all: () => workers }, news);
  const report = (worker: Worker, ...counts: InFlight) => news.emit(worker, { kind: 'in-flight', counts });
  const told = () => {
    t.mock.timers.tick(20);
    return workers.map((worker) => worker.told.splice(0).map((counts) => Object.fromEntries(counts)));
  };
  report(first, [a, 3]);
  report(second, [a, 2], [b, 1]);
  report(third, [b, 4]);
  assert.deepEqual(told(), [[{ [a]: 2, [b]: 5 }], [{ [a]: 3, [b]: 4 }], [{ [a]: 5, [b]: 1 }]]);
  assert.deepEqual(told(), [[], [], []], 'nothing new');
  ledger.forget(second);
  report(first, [a, 0]);
  assert.deepEqual(told()[2], [{ [a]: 0, [b]: 0 }], 'one that is gone has nothing in flight');
  ledger.resend(first);
  assert.deepEqual(told()[0], [{ [b]: 4 }], 'everything, and nothing else');
  assert.deepEqual(ledger.forNewcomer(first), [[b, 4]]);
  report(second, [a, 7]);
  assert.deepEqual(told(), [[{ [a]: 7 }], [{ [a]: 0 }], [{ [a]: 7 }]], 'only what changed');
  report(third, [b, 5]);
  ledger.close();
  assert.deepEqual(told(), [[], [], []], 'it is over');
});
