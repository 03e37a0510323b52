import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OutageLog } from '../../src/registry/outage-log.js';
import { closedPort } from '../support/ports.js';
import { waitFor } from '../support/wait.js';

async function logging() {
  const warnings: string[] = [];
  const warn = (fields: object, message: string) =>
    void warnings.push(`${message}: ${(fields as { why: string }).why}`);
  const address = `127.0.0.1:${await closedPort()}`;
  const log = new OutageLog(`${address},no-such-host.invalid:2181`, { info() {}, warn, error() {} });
  return { log, warnings, address };
}

test('that the connection is lost is explained at once, in words, for each server', async () => {
  const { log, warnings, address } = await logging();
  log.session('connecting');
  log.session('watchdog');
  await waitFor(() => warnings.length > 0);
  assert.equal(warnings.length, 1);
  const [warning = ''] = warnings;
  assert.match(warning, /^ZooKeeper is out of reach: no address for no-such-host\.invalid \(E/);
  assert.ok(warning.endsWith(`${address} refuses connections (ECONNREFUSED)`), warning);
});

test('a server that was never reached is told of after a second', async () => {
  const { log, warnings } = await logging();
  log.started();
  await waitFor(() => warnings.length > 0);
  assert.match(warnings[0] ?? '', /ECONNREFUSED/);
});

test('nothing is told of a connection that is back meanwhile', async () => {
  const { log, warnings } = await logging();
  log.session('connecting');
  log.session('connected');
  log.session('connecting');
  await waitFor(() => warnings.length > 0 || !log.asking);
  assert.deepEqual(warnings, []);
  log.stopped();
});
