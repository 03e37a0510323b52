import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientKey } from '../../src/http/client-key.js';

test('a client is its address, of IPv6 its network, behind a trusted proxy what that saw', () => {
  const cases: [expected: string, remote: string, forwarded?: string | string[]][] = [
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2', '2001:db8:1:2:3:4:5:6'],
    ['2001:db8:1:2', '2001:0db8:1:2::1'],
    ['2001:db8:0:0', '2001:db8::1'],
    ['0:0:0:0', '::1'],
    ['fe80:0:0:0', 'fe80::1%eth0'],
    ['198.51.100.7', '192.0.2.1', '198.51.100.7'],
    ['198.51.100.7', '192.0.2.1', '10.0.0.1, made up, 198.51.100.7'],
    ['198.51.100.7', '192.0.2.1', ['made up', '198.51.100.7']],
    ['192.0.2.1', '192.0.2.1', ''],
    ['192.0.2.1', '192.0.2.1', 'made up, '],
    ['x'.repeat(64), '192.0.2.1', 'x'.repeat(10_000)],
    ['unknown', 'unknown'],
  ];
  for (const [expected, remote, forwarded] of cases) assert.equal(clientKey(remote, forwarded), expected, remote);
});
