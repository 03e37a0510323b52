import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { parseConnectString } from '../../src/net-address.js';
import { resolveServers, tooManyClients, whyUnreachable } from '../../src/registry/servers.js';
import { closedPort } from '../support/ports.js';

async function resolve(text: string, names: Record<string, string[]>) {
  const target = parseConnectString(text);
  assert.ok(target);
  const lookup = async (host: string) => {
    const found = names[host];
    if (found === undefined) throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: 'ENOTFOUND' });
    return found;
  };
  return await resolveServers(target, lookup, 1_000);
}

test('names become addresses, a name without one is left out and told, and the chroot stays', async () => {
  const names = { a: ['10.0.0.1', '::1'], b: ['10.0.0.1'] };
  const { connect, problems } = await resolve('a:1,10.0.0.9:2,b:1,c:1/root', names);
  assert.equal(connect, '10.0.0.1:1,::1:1,10.0.0.9:2/root');
  assert.deepEqual(problems, ['no address for c (ENOTFOUND)']);
  assert.equal((await resolve('c,d', names)).connect, undefined);
});

test('a resolver that never answers costs the deadline and no more', async () => {
  const target = parseConnectString('slow:1,10.0.0.9:2');
  assert.ok(target);
  const { connect, problems } = await resolveServers(target, () => new Promise(() => {}), 20);
  assert.equal(connect, '10.0.0.9:2');
  assert.deepEqual(problems, ['no address for slow (no answer in 0.02 s)']);
});

test('why no session comes is said in words, for each server', async (t) => {
  const closed = await closedPort();
  const server = createServer((socket) => socket.destroy());
  t.after(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const why = await whyUnreachable(
    [
      { host: '127.0.0.1', port: closed },
      { host: '127.0.0.1', port },
    ],
    5_000,
  );
  assert.equal(
    why,
    `127.0.0.1:${closed} refuses connections (ECONNREFUSED), 127.0.0.1:${port} closes connections at once: ${tooManyClients}`,
  );
});

test('a server that takes connections and says nothing is told from one that closes them', async (t) => {
  const server = createServer(() => {});
  t.after(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const why = await whyUnreachable([{ host: '127.0.0.1', port }], 20);
  assert.match(why, /(accepts connections, but gives no session|does not answer)$/);
});
