import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSiteName } from '../../src/fleet/edge-record.js';
import { defaultName, reachableUrl } from '../../src/fleet/own-address.js';

test('an edge without a name is called after its machine and port', () => {
  assert.equal(defaultName('edge-1', 8080), 'edge-1:8080');
  assert.equal(defaultName('Kölner Kante', 80), 'K-lner-Kante:80');
  assert.ok(isSiteName(defaultName('x'.repeat(300), 65_535)));
});

test('where it listens on all addresses it is reached by the name of its machine', () => {
  for (const listen of [':8080', '0.0.0.0:8080', '[::]:8080']) {
    assert.equal(reachableUrl(listen, 8080, 'edge-1'), 'http://edge-1:8080');
  }
  assert.equal(reachableUrl('10.0.0.1:0', 41_234, 'edge-1'), 'http://10.0.0.1:41234');
  assert.equal(reachableUrl('[2001:db8::1]:80', 80, 'edge-1'), 'http://[2001:db8::1]:80');
});
