import assert from 'node:assert/strict';
import { test } from 'node:test';
import { followSettings } from '../../src/commands/reload.js';
import { silentLogger } from '../../src/log.js';
import { waitFor } from '../support/wait.js';

test('the edge is told when settings are refused, and asked for those that can be read', async () => {
  const env: Record<string, string> = {};
  let refused = 0;
  const policies: string[] = [];
  const edge = {
    reload: async ({ balancer }: { readonly balancer: { readonly policy: string } }) => {
      policies.push(balancer.policy);
      if (balancer.policy === 'random') throw new Error('the new workers cannot start');
    },
    settingsRefused: () => {
      refused += 1;
    },
  };
  const stop = new AbortController();
  followSettings({ request: () => ({ env }), edge, logger: silentLogger, end: () => undefined }, stop.signal);
  try {
    for (const [index, policy] of ['fastest', 'random', 'p2c'].entries()) {
      env['WEIR_BALANCER_POLICY'] = policy;
      process.emit('SIGHUP', 'SIGHUP');
      await waitFor(() => refused + policies.length > index, { what: `word of ${policy}` });
    }
  } finally {
    stop.abort();
  }
  assert.equal(refused, 1);
  assert.deepEqual(policies, ['random', 'p2c']);
});
