import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configSchema } from '../../src/config-schema.js';
import { Destinations, type Refusal } from '../../src/upstream/destinations.js';

const machine = { addresses: () => ['127.0.0.1', '10.1.2.3', 'fd00::7', 'fe80::1'], now: () => 0 };
const { allow: byDefault } = configSchema.parse({}).upstream;
const destinations = (allow: readonly string[] = byDefault) => new Destinations(allow, machine);

test('what clouds keep for their machines is refused unless it is allowed by itself', () => {
  const places = [
    '169.254.169.254',
    '169.254.170.2',
    '::ffff:169.254.169.254',
    '::ffff:a9fe:a9fe',
    '100.100.100.200',
    'fd00:ec2::254',
    'fd20:ce::254',
    'fe80::1',
    '168.63.129.16',
    '192.0.0.192',
  ];
  const wide = ['0.0.0.0/0', '::/0', ...byDefault];
  for (const place of places) {
    assert.ok(!destinations().allows(place, 80), place);
    assert.equal(destinations(wide).refusal(place, 80), 'special', place);
  }
  const cases: [allow: string, address: string, allowed: boolean][] = [
    ['169.254.169.254/32', '169.254.169.254', true],
    ['169.254.169.254', '::ffff:169.254.169.254', true],
    ['169.254.169.254/32', '169.254.169.253', false],
    ['169.254.0.0/16', '169.254.7.7', true],
    ['169.254.8.0/24', '169.254.8.1', true],
    ['169.0.0.0/8', '169.254.8.1', false],
    ['100.100.100.0/24', '100.100.100.200', false],
    ['100.100.100.0/24', '100.100.100.201', true],
    ['fd00:ec2::254', 'fd00:ec2::254', true],
    ['fe80::/10', 'fe80::1', true],
    ['fe80::/9', 'fe80::1', false],
  ];
  for (const [allow, address, allowed] of cases) {
    assert.equal(destinations([allow]).allows(address, 80), allowed, `${address} with ${allow}`);
  }
});

test('weir is no endpoint of its own, whatever its address is called', () => {
  const wide = destinations(['0.0.0.0/0', '::/0', 'fe80::/10']);
  wide.setOwn([
    { address: '127.0.0.1', port: 8081 },
    { address: '::', port: 8080 },
    { address: '0.0.0.0', port: 8082 },
    { address: '10.1.2.3', port: 9000 },
    { address: '127.0.0.1', port: 9000 },
  ]);
  const cases: [address: string, port: number, refusal: Refusal | undefined][] = [
    ['127.0.0.1', 8081, 'own'],
    ['::ffff:127.0.0.1', 8081, 'own'],
    ['::ffff:7f00:1', 8081, 'own'],
    ['0.0.0.0', 8081, 'own'],
    ['::', 8081, 'own'],
    ['::ffff:0.0.0.0', 8081, 'own'],
    // Nobody listens there.
    ['127.0.0.2', 8081, undefined],
    ['10.1.2.3', 8081, undefined],
    ['127.0.0.1', 8083, undefined],
    // On all addresses of the machine.
    ['127.0.0.1', 8080, 'own'],
    ['127.9.9.9', 8080, 'own'],
    ['10.1.2.3', 8080, 'own'],
    ['fd00:0::7', 8080, 'own'],
    ['fe80::1', 8080, 'own'],
    ['::1', 8080, 'own'],
    ['10.1.2.4', 8080, undefined],
    ['10.1.2.3', 8082, 'own'],
    ['10.1.2.3', 9000, 'own'],
    ['127.0.0.1', 9000, 'own'],
    ['10.1.2.4', 9000, undefined],
  ];
  for (const [address, port, refusal] of cases) {
    assert.equal(wide.refusal(address, port), refusal, `${address} ${port}`);
  }
});

test('an address that the machine gets later counts too', () => {
  let now = 0;
  const addresses = ['10.1.2.3'];
  const changing = new Destinations(byDefault, { addresses: () => addresses, now: () => now });
  changing.setOwn([{ address: '::', port: 80 }]);
  assert.ok(changing.allows('10.1.2.9', 80));
  addresses.push('10.1.2.9');
  now += 10_000;
  assert.equal(changing.refusal('10.1.2.9', 80), 'own');
});

test('the unspecified address is the machine itself, and needs it to be allowed', () => {
  assert.equal(destinations(['0.0.0.0/32', '::/128']).refusal('0.0.0.0', 80), 'outside');
  assert.equal(destinations(['0.0.0.0/0', '::/0']).refusal('0.0.0.0', 80), undefined);
});
