// Settings for all edges by way of ZooKeeper: real servers, real edges, the commands as processes.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readEdges } from '../../src/fleet/read-edges.js';
import type { FleetSession } from '../../src/fleet/session.js';
import { becomes, directSession } from '../support/fleet-sessions.js';
import { waitFor } from '../support/wait.js';
import { runWeir, serveWeir, type WeirProcess } from '../support/weir.js';
import { startZooKeeper, type ZooKeeperServer } from '../support/zookeeper.js';

let zookeeper: ZooKeeperServer;
let folder: string;
let session: FleetSession & { close(): Promise<void> };
const running = new Set<WeirProcess>();

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'weir-fleet-config-'));
  zookeeper = await startZooKeeper();
  session = await directSession(zookeeper.address);
  await becomes(session, 'connected');
  // So that an edge has something to start with when ZooKeeper is away.
  await session.create('/channels/news/a', '{"service_address":"127.0.0.1:1"}', 'persistent');
});
after(async () => {
  await Promise.all([...running].map((edge) => edge.stop()));
  await session.close();
  await zookeeper.stop();
  rmSync(folder, { recursive: true, force: true });
});

const keptIn = (name: string) => join(folder, `${name}.json`);
const registry = () => ['--zookeeper', zookeeper.address, '--set', 'registry.zookeeper.sessionTimeout=4s'];

async function startEdge(name: string, ...more: string[]): Promise<WeirProcess> {
  const edge = await serveWeir(
    ...[...registry(), '--set', 'workers=0', '--set', 'log.format=json'],
    ...['--set', `fleet.name=${name}`, '--set', 'fleet.site=paris', '--set', `fleet.configFile=${keptIn(name)}`],
    ...['--set', `registry.snapshotFile=${join(folder, `${name}-snapshot.json`)}`],
    ...more,
  );
  running.add(edge);
  return edge;
}

async function end(edge: WeirProcess): Promise<void> {
  running.delete(edge);
  await edge.stop();
}

const weir = (words: string[], input = '') => runWeir(['config', ...words, ...registry()], input);

const records = async () => (await readEdges(session, '/weir')).map(({ record }) => record);
const errors = async () => (await records()).map((record) => record?.config?.error);

/** How often settings came into effect in place, as the log says. */
const reloads = (edge: WeirProcess) =>
  edge
    .log()
    .split('\n')
    .filter((line) => line.includes('settings in effect')).length;
const changed = (edge: WeirProcess, setting: string) =>
  edge
    .log()
    .split('\n')
    .filter((line) => line.includes('settings in effect') && line.includes(setting)).length;

async function gauge(edge: WeirProcess, name: string): Promise<number> {
  const text = await (await fetch(`${edge.admin}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
}

interface Pushed {
  readonly before: number | null;
  readonly version: number | null;
  readonly edges: readonly string[];
}

test('settings that are pushed come into effect on every edge, and a bad one on none; one that was off gets them', async () => {
  const [one, two] = await Promise.all([startEdge('one'), startEdge('two')]);
  await waitFor(async () => (await records()).length === 2, { what: 'both edges' });

  const pushed = await weir(
    ['push', '-', '--json', '--note', 'less delay'],
    'hls:\n  grace: 7s\nbalancer: {policy: p2c}\n',
  );
  assert.equal(pushed.code, 0, pushed.stderr);
  const result = JSON.parse(pushed.stdout) as Pushed;
  assert.deepEqual([result.before, result.edges], [null, ['paris/one', 'paris/two']]);
  for (const edge of [one, two]) assert.equal(changed(edge, 'balancer.policy'), 1, edge.log());

  // What it says where it is pushed: refused before it is written.
  const wrong = await weir(['push', '-'], 'balancer: {policy: fastest}\n');
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /balancer\.policy: expected one of .* \(\/weir\/config:1\)/);
  const local = await weir(['push', '-'], 'admin: {listen: 0.0.0.0:1}\n');
  assert.equal(local.code, 2);
  assert.match(local.stderr, /admin\.listen: never taken from the fleet/);

  // Past the command, as another client may write it: each edge refuses it by itself.
  const node = await session.get('/weir/config');
  await session.set('/weir/config', 'balancer: {policy: fastest}\n', node?.version ?? -1);
  for (const edge of [one, two]) {
    await waitFor(async () => (await gauge(edge, 'weir_settings_refused')) === 1, { what: 'the refusal' });
    assert.match(edge.log(), /settings of the fleet are refused/);
    assert.equal(changed(edge, 'balancer.policy'), 1);
  }
  await waitFor(async () => (await errors()).every((error) => error?.includes('expected one of adaptive')), {
    what: 'the errors in the nodes of the edges',
  });

  const back = await weir(['rollback', '--now', '--json']);
  assert.equal(back.code, 0, back.stderr);
  for (const edge of [one, two]) {
    await waitFor(async () => (await gauge(edge, 'weir_settings_refused')) === 0, { what: 'the end of the refusal' });
  }

  await end(two);
  const site = await weir(['push', '-', '--site', 'paris', '--json'], 'balancer: {policy: random}\n');
  assert.equal(site.code, 0, site.stderr);
  assert.deepEqual((JSON.parse(site.stdout) as Pushed).edges, ['paris/one']);
  const again = await startEdge('two');
  await waitFor(() => changed(again, 'balancer.policy') === 1, { what: 'the settings of the site' });
  const shown = await weir(['--fleet', '--set', 'fleet.name=two', '--set', 'fleet.site=paris']);
  assert.match(shown.stdout, /policy: random {2}# \/weir\/config\/sites\/paris:1/);
  assert.match(shown.stdout, /grace: 7s {2}# \/weir\/config:2/);

  await end(again);
  await zookeeper.kill();
  const alone = await startEdge('two');
  assert.match(alone.log(), /starting with the settings that the fleet last had/);
  assert.match(readFileSync(keptIn('two'), 'utf8'), /policy: random/);
  assert.ok(reloads(alone) === 0);
});
