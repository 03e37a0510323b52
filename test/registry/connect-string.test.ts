import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConnectString, resolveServers } from '../../src/registry/connect-string.js';

const parse = (text: string) => {
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
  for (const [text, expected] of table) assert.equal(parse(text), expected, text);
});

async function resolve(text: string, names: Record<string, string[]>): Promise<string | undefined> {
  const target = parseConnectString(text);
  assert.ok(target);
  const lookup = async (host: string) => {
    const found = names[host];
    if (found === undefined) throw new Error('ENOTFOUND');
    return found;
  };
  return await resolveServers(target, lookup, 1_000);
}

test('names become addresses, a name without one is left out, and the chroot stays', async () => {
  const names = { a: ['10.0.0.1', '::1'], b: ['10.0.0.1'] };
  assert.equal(await resolve('a:1,10.0.0.9:2,b:1,c:1/root', names), '10.0.0.1:1,::1:1,10.0.0.9:2/root');
  assert.equal(await resolve('c,d', names), undefined);
});

test('a resolver that never answers costs the deadline and no more', async () => {
  const target = parseConnectString('slow:1,10.0.0.9:2');
  assert.ok(target);
  assert.equal(await resolveServers(target, () => new Promise(() => {}), 20), '10.0.0.9:2');
});
