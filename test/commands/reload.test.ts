import assert from 'node:assert/strict';
import { test } from 'node:test';
import { followSettings } from '../../src/commands/reload.js';
import { silentLogger } from '../../src/log.js';
import { waitFor } from '../support/wait.js';

test('the edge is told when settings are refused or fail, and when later ones are in effect', async () => {
  const env: Record<string, string> = {};
  const refused: boolean[] = [];
  const policies: string[] = [];
  const edge = {
    reload: async ({ balancer }: { readonly balancer: { readonly policy: string } }) => {
      policies.push(balancer.policy);
      if (balancer.policy === 'random') throw new Error('the new workers cannot start');
    },
    settingsRefused: (now: boolean) => {
      refused.push(now);
    },
  };
  const stop = new AbortController();
  followSettings({ request: { env }, edge, logger: silentLogger, end: () => undefined }, stop.signal);
  try {
    for (const [index, policy] of ['fastest', 'random', 'p2c'].entries()) {
      env['WEIR_BALANCER_POLICY'] = policy;
      process.emit('SIGHUP', 'SIGHUP');
      await waitFor(() => refused.length > index, { what: `word of ${policy}` });
    }
  } finally {
    stop.abort();
  }
  assert.deepEqual(refused, [true, true, false]);
  assert.deepEqual(policies, ['random', 'p2c']);
});
