import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { FleetSettings } from '../../src/commands/fleet-settings.js';
import { loadConfig } from '../../src/config.js';
import type { Config } from '../../src/config-schema.js';
import type { ConfigReport } from '../../src/fleet/config/config-follower.js';
import { silentLogger } from '../../src/log.js';
import { FakeEnsemble } from '../support/fake-ensemble.js';
import { settled } from '../support/hand-clock.js';

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-fleet-settings-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

const requestFor = (file: string) => ({
  sets: ['fleet.name=one', `fleet.configFile=${join(folder, file)}`, 'balancer.tieBand=0.3'],
});

/** An edge that notes what it is asked for. */
function edgeOn(ensemble: FakeEnsemble) {
  const session = ensemble.session();
  const reloads: Config[] = [];
  const reports: ConfigReport[] = [];
  const edge = {
    refusals: 0,
    fleet: {
      place: { session, root: '/weir', site: 'default', name: 'one' },
      announce: ({ config }: { readonly config?: ConfigReport | undefined }) => {
        if (config !== undefined) reports.push(config);
      },
    },
    async reload(config: Config) {
      reloads.push(config);
    },
    settingsRefused() {
      edge.refusals += 1;
    },
  };
  return { session, edge, reloads, reports };
}

test("what the fleet says comes in between the edge's file and its flags, and is there at the next start", async () => {
  const ensemble = new FakeEnsemble();
  ensemble.put('/weir/config', 'balancer: {policy: p2c, tieBand: 0.1}\n', undefined);
  const { session, edge, reloads } = edgeOn(ensemble);
  session.connect();
  const own = requestFor('kept.json');
  const stop = new AbortController();
  const settings = new FleetSettings(own, loadConfig(own), silentLogger);
  await settings.restored(loadConfig(own));
  await settings.follow(edge, stop.signal);
  assert.deepEqual([reloads.at(-1)?.balancer.policy, reloads.at(-1)?.balancer.tieBand], ['p2c', 0.3]);
  assert.equal(loadConfig(settings.request).balancer.policy, 'p2c');
  stop.abort();

  const next = new FleetSettings(own, loadConfig(own), silentLogger);
  assert.equal((await next.restored(loadConfig(own))).config.balancer.policy, 'p2c');
});

test('settings of the fleet that cannot be used are refused, and those in effect stay for a reload too', async () => {
  const ensemble = new FakeEnsemble();
  ensemble.put('/weir/config', 'balancer: {policy: p2c}\n', undefined);
  const { session, edge, reloads, reports } = edgeOn(ensemble);
  session.connect();
  const own = requestFor('refused.json');
  const stop = new AbortController();
  const settings = new FleetSettings(own, loadConfig(own), silentLogger);
  await settings.follow(edge, stop.signal);
  ensemble.put('/weir/config', 'registry: {kind: embedded}\n', undefined);
  await settled();
  assert.equal(edge.refusals, 1);
  assert.equal(reloads.length, 1);
  assert.match(reports.at(-1)?.error ?? '', /registry\.kind: never taken from the fleet/);
  assert.equal(loadConfig(settings.request).balancer.policy, 'p2c');
  stop.abort();
});

const useless: [string, string][] = [
  ['is no JSON', '{'],
  ['is of something else', '{"version":1,"documents":7}'],
  ['has settings of another version of weir', '{"version":1,"documents":[{"layer":"/weir/config","body":"gone: 1"}]}'],
];
for (const [name, text] of useless) {
  test(`a kept file that ${name} costs itself and not the start`, async () => {
    const own = requestFor('useless.json');
    writeFileSync(join(folder, 'useless.json'), text);
    const settings = new FleetSettings(own, loadConfig(own), silentLogger);
    assert.equal((await settings.restored(loadConfig(own))).config.balancer.policy, 'adaptive');
    assert.deepEqual(settings.request.centre, []);
    assert.equal(readFileSync(join(folder, 'useless.json'), 'utf8'), text);
  });
}
