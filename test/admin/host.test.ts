import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isTrustedHost } from '../../src/admin/host.js';

test('the API is asked by addresses, by names that nobody can register, and by those that are listed', () => {
  const names = ['edge.example.com', '.ops.example', 'Host-7.internal.example'];
  const trusted = [
    undefined,
    '127.0.0.1',
    '127.0.0.1:8081',
    '[::1]:8081',
    '[fe80::1]',
    'localhost:8081',
    'LOCALHOST.',
    'x.localhost',
    'weir:8081',
    'weir.monitoring.svc:8081',
    'weir.monitoring.svc.cluster.local',
    'edge.europe-west1.internal',
    'edge.example.com:8081',
    'Edge.Example.Com.',
    'a.b.ops.example',
    'host-7.internal.example',
  ];
  for (const host of trusted) assert.ok(isTrustedHost(host, names), host);
  const others = [
    'evil.example',
    'evil.example:8081',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'edge.example.com.evil.example',
    'xedge.example.com',
    'ops.example',
    'evilops.example',
    'svc.evil.example',
    '7f.1.evil.example',
  ];
  for (const host of others) assert.ok(!isTrustedHost(host, names), host);
});
