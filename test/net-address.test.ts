import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ServiceAddress } from '../src/model.js';
import {
  edgeServer,
  isPeer,
  isSameListener,
  parseCidr,
  parseConnectString,
  parseListenAddress,
  parseServiceAddress,
  peerName,
  plainAddress,
  serverOf,
} from '../src/net-address.js';
import { runs } from './support/runs.js';

test('addresses that an endpoint may register are taken as they are', () => {
  const good = [
    '10.0.0.1:8080',
    '[2001:db8::1]:8080',
    'origin-1.example.com:80',
    'origin_1:80',
    'localhost:65535',
    'http://10.0.0.1',
    'http://10.0.0.1:8080/live-stream',
    'https://[::1]/a/b?x=1',
    'http://o.example.:8000/',
    'http://o:8000/{channel}/{rest}',
    'http://o/a%20b',
  ];
  for (const text of good) assert.equal(parseServiceAddress(text), text);
});

test('hostile and malformed addresses are refused', () => {
  const bad = [
    '',
    ' ',
    '10.0.0.1',
    '10.0.0.1:',
    '10.0.0.1:0',
    '10.0.0.1:65536',
    '10.0.0.1:-1',
    '10.0.0.1:8080/path',
    ':8080',
    'http://',
    'http://:80/',
    'http://o:0/',
    'http://o:99999/',
    'http:///etc/passwd',
    'file:///etc/passwd',
    'ftp://o/',
    'javascript:alert(1)',
    'gopher://o:70/_x',
    'http://user:pass@o/',
    'http://o#@evil/',
    'http://o/#fragment',
    'http://o\\@evil/',
    'http://o/\r\nHost: evil',
    'o:80\r\nX: y',
    'o:80\0',
    'http://o/ space',
    'http://o/"quoted"',
    'http://o/<b>',
    'http://o?x=1',
    '2130706433:80',
    '0x7f.1:80',
    '0x7f000001:80',
    '127.1:80',
    '1.2.3.4.5:80',
    '256.1.1.1:80',
    '010.0.0.1.:80',
    'http://[::1/',
    'http://[not-ip]:80/',
    '[::1]',
    '::1:80',
    '-x:80',
    'a..b:80',
    `${'a'.repeat(64)}.example:80`,
    `${'a.'.repeat(127)}example:80`,
    'öäü.example:80',
    `http://o/${'x'.repeat(2048)}`,
  ];
  for (const text of bad) assert.equal(parseServiceAddress(text), undefined, text);
});

test('whatever text is accepted as an address, a URL parser finds no credentials in it and no IPv4 address in disguise', () => {
  const part = fc.constantFrom(
    'http://',
    'https://',
    'a',
    '1',
    '0x7f',
    '.',
    ':',
    '80',
    '[',
    '::1',
    ']',
    '/',
    '?',
    '@',
    '#',
    '%',
  );
  const text = fc.oneof(
    fc.string(),
    fc.array(part, { maxLength: 12 }).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(text, (candidate) => {
      const address = parseServiceAddress(candidate);
      if (address === undefined) return;
      const url = new URL(address.includes('://') ? address : `http://${address}`);
      assert.equal(url.username + url.password + url.hash, '');
      if (isIP(url.hostname) === 4) assert.ok(address.includes(url.hostname), `${address} is ${url.hostname}`);
    }),
    { numRuns: runs(500) },
  );
});

test('listen addresses', () => {
  const table: [string, ReturnType<typeof parseListenAddress>][] = [
    [':8080', { host: undefined, port: 8080 }],
    ['127.0.0.1:0', { host: '127.0.0.1', port: 0 }],
    ['[::1]:80', { host: '::1', port: 80 }],
    ['localhost:65535', { host: 'localhost', port: 65535 }],
    ['8080', undefined],
    ['::1:80', undefined],
    ['[nonsense]:80', undefined],
    ['a b:80', undefined],
    [':65536', undefined],
    ['', undefined],
  ];
  for (const [text, expected] of table) assert.deepEqual(parseListenAddress(text), expected, text);
});

test('networks', () => {
  const table: [string, ReturnType<typeof parseCidr>][] = [
    ['10.0.0.0/8', { address: '10.0.0.0', prefix: 8, family: 'ipv4' }],
    ['10.0.0.1', { address: '10.0.0.1', prefix: 32, family: 'ipv4' }],
    ['::/0', { address: '::', prefix: 0, family: 'ipv6' }],
    ['fc00::/7', { address: 'fc00::', prefix: 7, family: 'ipv6' }],
    ['10.0.0.0/33', undefined],
    ['::/129', undefined],
    ['10.0.0.0/', undefined],
    ['10.0.0.0/8/8', undefined],
    ['10.0.0.0/-1', undefined],
    ['example.com/8', undefined],
    ['', undefined],
  ];
  for (const [text, expected] of table) assert.deepEqual(parseCidr(text), expected, text);
});

test('an IPv4 address of a socket for both families is told as such', () => {
  assert.equal(plainAddress('::ffff:127.0.0.1'), '127.0.0.1');
  assert.equal(plainAddress('10.0.0.1'), '10.0.0.1');
  assert.equal(plainAddress('::1'), '::1');
  assert.equal(plainAddress('::ffff:0:1'), '::ffff:0:1');
});

const parseEnsemble = (text: string) => {
  const target = parseConnectString(text);
  return target && `${target.servers.map(({ host, port }) => `${host} ${port}`).join(', ')} ${target.chroot}`.trim();
};

test('connect strings: several servers, default port, IPv6, chroot', () => {
  const table: [string, string | undefined][] = [
    ['zk:2182', 'zk 2182'],
    ['zk', 'zk 2181'],
    ['a:1,b:2,10.0.0.3', 'a 1, b 2, 10.0.0.3 2181'],
    ['[::1]:2182,[fe80::1]', '::1 2182, fe80::1 2181'],
    ['a:1,b:2/weir/prod', 'a 1, b 2 /weir/prod'],
    ['a:1/', 'a 1'],
    ['', undefined],
    ['a,,b', undefined],
    ['a:0', undefined],
    ['a:65536', undefined],
    ['a:x', undefined],
    ['::1:2181', undefined],
    ['[zz]:1', undefined],
    ['a//b', undefined],
    ['user:pass@a:1', undefined],
    ['a b:1', undefined],
  ];
  for (const [text, expected] of table) assert.equal(parseEnsemble(text), expected, text);
});

for (const [one, other, same] of [
  [':8080', '127.0.0.1:8080', true],
  ['0.0.0.0:8080', '[::1]:8080', true],
  ['127.0.0.1:8080', '127.0.0.1:8080', true],
  ['LOCALHOST:8080', 'localhost:8080', true],
  ['127.0.0.1:8080', '127.0.0.2:8080', false],
  [':8080', ':8081', false],
  ['127.0.0.1:0', '127.0.0.1:0', false],
] as const) {
  test(`${one} and ${other} ${same ? 'cannot' : 'can'} both be listened on`, () => {
    assert.equal(isSameListener(one, other), same);
    assert.equal(isSameListener(other, one), same);
  });
}

test('an edge as a server is its own one for each name, is read back as it was, and nobody can register it', () => {
  const names = ['edge-1', 'Edge-1', 'edge_1', 'edge-1.example:8080', 'edge-1.example_003a8080'];
  const servers = names.map(edgeServer);
  assert.equal(new Set(servers).size, names.length);
  for (const [index, server] of servers.entries()) {
    assert.equal(isPeer(server), true);
    assert.equal(peerName(server), `edge.${names[index]}`);
    assert.equal(serverOf(server as string as ServiceAddress), server);
    assert.equal(parseServiceAddress(server), undefined);
  }
});
