import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changes, withChanges } from '../../src/config/changes.js';
import { type Config, type ConfigInput, configSchema } from '../../src/config-schema.js';

const config = (input: ConfigInput = {}): Config => configSchema.parse(input);

for (const [name, input, expected] of [
  ['nothing', {}, {}],
  [
    'a policy, a weight, a limit and the log level are changed in place',
    {
      balancer: { policy: 'p2c', lossWeight: 5 },
      http: { maxConnections: 10 },
      log: { level: 'warn' },
    },
    { live: ['balancer.policy', 'balancer.lossWeight', 'http.maxConnections', 'log.level'] },
  ],
  ['an address takes new workers', { listen: ':80' }, { workers: ['listen'] }],
  ['a list is compared by what stands in it', { upstream: { allow: ['10.0.0.0/8'] } }, { workers: ['upstream.allow'] }],
  [
    'the registry and admin take a new start',
    {
      registry: { zookeeper: { servers: 'zk:2181' } },
      admin: { listen: ':9' },
    },
    { restart: ['admin.listen', 'registry.zookeeper.servers'] },
  ],
  ['the same value in other words is no change', { upstream: { retries: 2, connectTimeout: '1000ms' } }, {}],
] as const) {
  test(name, () => {
    const found = changes(config(), config(input as ConfigInput));
    const sorted = (keys: readonly string[]) => [...keys].sort();
    for (const how of ['live', 'workers', 'restart'] as const) {
      assert.deepEqual(sorted(found[how]), sorted((expected as Record<string, string[]>)[how] ?? []), how);
    }
  });
}

test('the settings in effect take over what is named, and keep the rest', () => {
  const before = config({ listen: ':1' });
  const after = config({ listen: ':2', balancer: { policy: 'random', outlier: { baseEjection: '1s' } } });
  const { balancer, listen } = withChanges(before, after, new Set(['balancer.outlier.baseEjection']));
  assert.deepEqual([balancer.outlier.baseEjection, balancer.policy, listen], [1_000, 'adaptive', ':1']);
  assert.equal(before.balancer.outlier.baseEjection, 30_000);
});
