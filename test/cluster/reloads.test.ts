import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Reloads, type SettingsChange } from '../../src/cluster/reloads.js';
import { type Config, type ConfigInput, configSchema } from '../../src/config-schema.js';
import { silentLogger } from '../../src/log.js';
import { createMetrics } from '../../src/metrics.js';

const settings = (input: ConfigInput): Config => configSchema.parse(input);

function follow(apply: (change: SettingsChange) => Promise<void>, waits: (key: string) => boolean = () => false) {
  const metrics = createMetrics({ process: false });
  const reloads = new Reloads({ config: settings({}), logger: silentLogger, metrics, waits, apply });
  const counted = async (outcome: string) => {
    const { values } = await metrics.reloads.get();
    return values.find(({ labels }) => labels.outcome === outcome)?.value;
  };
  const refused = async () => (await metrics.settingsRefused.get()).values[0]?.value;
  return { reloads, counted, refused };
}

test('what failed is not in effect: the same settings are tried again, and the old ones are nothing to do', async () => {
  const tried: (readonly string[])[] = [];
  let works = false;
  const { reloads, counted, refused } = follow(async ({ workers }) => {
    tried.push(workers);
    if (!works) throw new Error('a worker cannot start');
  });
  const next = settings({ http: { keepAliveTimeout: '5s' } });
  await assert.rejects(reloads.reload(next, false), /cannot start/);
  assert.equal(await refused(), 1);
  assert.equal(reloads.inEffect.http.keepAliveTimeout, 65_000);
  works = true;
  await reloads.reload(settings({}), false);
  assert.equal(await refused(), 0);
  await reloads.reload(next, false);
  assert.deepEqual(tried, [['http.keepAliveTimeout'], [], ['http.keepAliveTimeout']]);
  assert.deepEqual([await counted('failed'), await counted('unchanged'), await counted('applied')], [1, 1, 1]);
});

test('settings that wait for the next start are not taken for being in effect', async () => {
  const changes: SettingsChange[] = [];
  const { reloads } = follow(
    async (change) => {
      changes.push(change);
    },
    (key) => key === 'workers',
  );
  await reloads.reload(settings({ workers: 0, admin: { listen: ':9' }, log: { level: 'warn' } }), false);
  assert.deepEqual(changes[0]?.live, ['log.level']);
  const { workers, admin, log } = reloads.inEffect;
  assert.deepEqual([workers, admin.listen, log.level], ['auto', '127.0.0.1:8081', 'warn']);
  assert.equal(changes[0]?.next.workers, 'auto', 'the number of workers is left alone');
});

test('of many reloads that are asked for during one, the newest is done, once', async () => {
  const levels: string[] = [];
  const renewals: boolean[] = [];
  let go: () => void = () => undefined;
  const first = new Promise<void>((resolve) => {
    go = resolve;
  });
  const { reloads } = follow(async ({ next, renew }) => {
    levels.push(next.log.level);
    renewals.push(renew);
    if (levels.length === 1) await first;
  });
  const asked = [reloads.reload(settings({ log: { level: 'warn' } }), false)];
  await Promise.resolve();
  await Promise.resolve();
  asked.push(reloads.reload(settings({ log: { level: 'error' } }), true));
  for (let i = 0; i < 1_000; i += 1) asked.push(reloads.reload(settings({ log: { level: 'debug' } }), false));
  go();
  await Promise.all(asked);
  assert.deepEqual(levels, ['warn', 'debug']);
  assert.deepEqual(renewals, [false, true], 'new workers were asked for meanwhile');
});

test('settings that cannot be read are seen until others are in effect', async () => {
  const { reloads, counted, refused } = follow(async () => undefined);
  reloads.refused();
  assert.deepEqual([await refused(), await counted('refused')], [1, 1]);
  await reloads.reload(settings({}), false);
  assert.equal(await refused(), 0);
});
