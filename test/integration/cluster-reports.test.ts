// Workers come and go while the registry never rests: origins of a large fleet report their loads all the time.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cleanupsAfterEach } from '../support/cleanups.js';
import { closedPort } from '../support/ports.js';
import { ReportFlow } from '../support/report-flow.js';
import { waitFor } from '../support/wait.js';
import { serveWeir, type WeirProcess } from '../support/weir.js';
import { allServing, scraped, startsOf, timeToStart } from '../support/workers.js';

const cleanups = cleanupsAfterEach();

/** Reports a second. */
const rate = 1_000;

test('with 1,000 reports a second an edge starts, a killed worker is back within 3 s, and a reload succeeds', async (t) => {
  const port = await closedPort();
  const flow = new ReportFlow(port, rate);
  cleanups.push(() => flow.stop());
  const began = Date.now();
  const more = ['--registry', 'embedded', '--set', 'workers=2', '--set', 'shutdown.grace=1s'];
  const edge: WeirProcess = await serveWeir('--admin', `127.0.0.1:${port}`, ...more);
  cleanups.push(() => edge.stop());
  t.diagnostic(`ready after ${Date.now() - began} ms`);
  await waitFor(() => flow.accepted > 2 * rate, { what: 'the reports' });

  const rounds: { readonly backAfter: number; readonly bare: number }[] = [];
  for (let round = 0; round < 3; round += 1) {
    const [victim = 0] = [...(await allServing(edge)).values()];
    const starts = startsOf(edge).length;
    const killedAt = Date.now();
    process.kill(victim, 'SIGKILL');
    // Beside it, so that both have to do with the same machine.
    const starting = timeToStart();
    await waitFor(() => startsOf(edge).length > starts, { what: 'another worker' });
    const backAfter = (startsOf(edge)[starts]?.time ?? Number.NaN) - killedAt;
    const bare = Math.round(await starting);
    t.diagnostic(`a killed worker was back after ${backAfter} ms; a process takes ${bare} ms`);
    rounds.push({ backAfter, bare });
  }
  // What the machine is busy with besides makes a bare process late, too.
  const inTime = rounds.filter(({ backAfter, bare }) => backAfter < Math.max(3_000, 3 * bare));
  assert.ok(inTime.length > 0, JSON.stringify(rounds));
  edge.child.kill('SIGHUP');
  await waitFor(() => /settings in effect|reload failed/.test(edge.log()), { what: 'the reload' });
  assert.doesNotMatch(edge.log(), /cannot start|reload failed/);
  // None but those that were killed: a worker that could not take what it started with would be one more.
  assert.equal(await scraped(edge, 'weir_worker_exits_total', { cause: 'crash' }), 3);

  const before = { accepted: flow.accepted, at: performance.now() };
  await waitFor(() => flow.accepted > before.accepted + 2 * rate, { what: 'more reports' });
  const reached = (flow.accepted - before.accepted) / ((performance.now() - before.at) / 1_000);
  t.diagnostic(`${Math.round(reached)} reports a second in the end`);
  assert.equal(flow.failed, undefined);
});
