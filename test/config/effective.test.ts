import assert from 'node:assert/strict';
import { test } from 'node:test';
import { effectiveJson } from '../../src/config/effective.js';
import { readConfig } from '../../src/config.js';

const secret = 'a-token-of-sixteen';
const given = () =>
  readConfig({
    env: { WEIR_REGISTRY_EMBEDDED_TOKEN: secret, WEIR_REGISTRY_KIND: 'embedded' },
    sets: ['log.level=warn'],
  });

test('settings as JSON are a configuration file that means the same, and where each came from', () => {
  const { settings, origins } = effectiveJson(given().given);
  const again = readConfig({ presets: { origin: 'file', settings }, env: { WEIR_REGISTRY_EMBEDDED_TOKEN: secret } });
  assert.deepEqual(again.config, given().config);
  assert.deepEqual(origins, {
    'registry.embedded.token': 'WEIR_REGISTRY_EMBEDDED_TOKEN',
    'registry.kind': 'WEIR_REGISTRY_KIND',
    'log.level': '--set',
  });
});

test('settings as JSON name a secret that is set, and do not tell it', () => {
  const json = effectiveJson(given().given);
  assert.deepEqual(json.redacted, ['registry.embedded.token']);
  assert.ok(!JSON.stringify(json).includes(secret));
});
