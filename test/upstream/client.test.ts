// The client in front of real servers.

import assert from 'node:assert/strict';
import net from 'node:net';
import { suite, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { WeirError } from '../../src/errors.js';
import { judgeError } from '../../src/upstream/judge.js';
import type { Redirect } from '../../src/upstream/redirect.js';
import { cleanupsAfterEach } from '../support/cleanups.js';
import { closedPort } from '../support/ports.js';
import { startedFor } from '../support/started.js';
import { ask } from '../support/upstream.js';

const cleanups = cleanupsAfterEach();
const { httpOrigin, rawOrigin, upstream } = startedFor(cleanups);

/** Answers every request with a redirect there. */
const redirecting = (location: (path: string) => string, status = 302) =>
  httpOrigin((request, response) => response.writeHead(status, { location: location(request.url ?? '') }).end('moved'));

suite('redirects', () => {
  const follow = () => ({});

  test('are followed where the request says so, and only there', async () => {
    const { client } = upstream();
    const target = await httpOrigin((request, response) => response.end(`here is ${request.url}`));
    for (const status of [301, 302, 303, 307, 308]) {
      const origin = await redirecting((path) => `http://${target.address}/moved${path}`, status);
      const answer = await ask(client, origin.address, '/x?y=1', { follow });
      assert.deepEqual([answer.status, answer.body], [200, 'here is /moved/x?y=1']);
      const plain = await ask(client, origin.address, '/x');
      assert.deepEqual([plain.status, plain.body], [status, 'moved']);
    }
  });

  test('each is told with what the answer said, and decides the fields of the next request', async () => {
    const { client } = upstream();
    const target = await httpOrigin((request, response) => response.end(`${request.headers['x-hop']}`));
    const second = await redirecting(() => `http://${target.address}/end`);
    const first = await httpOrigin((_request, response) =>
      response.writeHead(302, { location: `http://${second.address}/`, 'set-cookie': 'a=1' }).end(),
    );
    const seen: Redirect[] = [];
    const answer = await ask(client, first.address, '/', {
      follow: (redirect) => {
        seen.push(redirect);
        return { 'x-hop': String(seen.length) };
      },
    });
    assert.equal(answer.body, '2');
    assert.deepEqual(
      seen.map(({ from, to, headers }) => [from, to.server, to.path, headers['set-cookie'] ?? '']),
      [
        [`http://${first.address}`, `http://${second.address}`, '/', 'a=1'],
        [`http://${second.address}`, `http://${target.address}`, '/end', ''],
      ],
    );
  });

  test('a loop ends after three', async () => {
    const { client } = upstream();
    const origin = await redirecting((path) => `${path}x`);
    await assert.rejects(ask(client, origin.address, '/', { follow }), { code: 'upstream_redirect' });
    assert.equal(origin.requests.length, 4);
  });

  test('never lead outside the allowed networks', async () => {
    const { client } = upstream({ allow: ['127.0.0.0/30'] });
    const other = await httpOrigin((_request, response) => response.end('secret'));
    const port = other.port;
    for (const location of [`http://127.0.0.9:${port}/`, `http://[::1]:${port}/`, 'http://169.254.169.254/']) {
      const origin = await redirecting(() => location);
      await assert.rejects(ask(client, origin.address, '/', { follow }), { code: 'upstream_redirect' }, location);
    }
    assert.equal(other.requests.length, 0);
  });

  test('to a server that does not answer fail as redirects: the endpoint itself is well', async () => {
    const { client } = upstream();
    for (const host of [`127.0.0.1:${await closedPort()}`, 'no-such-host.invalid']) {
      const origin = await redirecting(() => `http://${host}/`);
      await assert.rejects(ask(client, origin.address, '/', { follow }), (error: WeirError) => {
        assert.equal(error.code, 'upstream_redirect');
        assert.match(error.message, /a server that fails: .*\((ECONNREFUSED|ENOTFOUND|EAI_AGAIN)\)/);
        return true;
      });
    }
  });

  test('a long body of a redirect is not read to its end', async () => {
    const { client } = upstream();
    const target = await httpOrigin((_request, response) => response.end('there'));
    const origin = await httpOrigin((_request, response) => {
      response.writeHead(302, { location: `http://${target.address}/` });
      const write = () => {
        while (response.write(Buffer.alloc(64 * 1024)));
        response.once('drain', write);
      };
      write();
    });
    assert.equal((await ask(client, origin.address, '/', { follow })).body, 'there');
  });

  test('the deadline of the first byte holds for all of them together', async () => {
    const { client } = upstream({ firstByteTimeout: 300 });
    const origin = await httpOrigin((request, response) => {
      if (request.url === '/') response.writeHead(302, { location: '/silent' }).end();
    });
    await assert.rejects(ask(client, origin.address, '/', { follow }), { code: 'upstream_first_byte_timeout' });
    assert.equal(origin.requests.length, 2);
  });
});

suite('a kept connection that turns out to be dead', () => {
  /** Keeps connections, and cuts each at its second request, before any byte. */
  const cutsTheSecond = (cut: 'reset' | 'end') => {
    const seen = { connections: 0, requests: 0 };
    const origin = rawOrigin((socket) => {
      seen.connections += 1;
      let requests = 0;
      socket.on('data', () => {
        seen.requests += 1;
        requests += 1;
        if (requests === 1) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
        else if (cut === 'reset') socket.resetAndDestroy();
        else socket.end();
      });
    });
    return { seen, origin };
  };

  for (const cut of ['reset', 'end'] as const) {
    test(`nobody hears of it: the request goes again on a fresh one (${cut})`, async () => {
      const { client } = upstream();
      const { seen, origin } = cutsTheSecond(cut);
      const { address } = await origin;
      for (let i = 0; i < 6; i += 1) {
        assert.equal((await ask(client, address, '/')).body, 'ok');
        await nextTurn();
      }
      // The second one found the connection of the first one dead, and what was fresh served one request only.
      assert.deepEqual(seen, { connections: 6, requests: 9 });
    });
  }

  test('a fresh connection that fails is the failure of the server, and asked once', async () => {
    const { client } = upstream();
    let connections = 0;
    const origin = await rawOrigin((socket) => {
      connections += 1;
      socket.on('data', () => socket.end());
    });
    await assert.rejects(ask(client, origin.address, '/'), { code: 'upstream_cut' });
    assert.equal(connections, 1);
  });

  test('it goes again once, not for ever', async () => {
    const { client } = upstream();
    let requests = 0;
    const origin = await rawOrigin((socket) =>
      socket.on('data', () => {
        requests += 1;
        if (requests === 1) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
        else socket.resetAndDestroy();
      }),
    );
    await ask(client, origin.address, '/');
    // Until then its connection is not free.
    await nextTurn();
    await assert.rejects(ask(client, origin.address, '/'), { code: 'upstream_cut' });
    assert.equal(requests, 3);
  });

  test('an answer that had begun is not asked for again', async () => {
    const { client } = upstream();
    let requests = 0;
    const origin = await rawOrigin((socket) =>
      socket.on('data', () => {
        requests += 1;
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no');
        if (requests === 1) socket.write('k');
        else socket.end();
      }),
    );
    await ask(client, origin.address, '/');
    // Until then its connection is not free.
    await nextTurn();
    await assert.rejects(ask(client, origin.address, '/'), { code: 'upstream_cut' });
    assert.equal(requests, 2);
  });
});

test('a name that does not resolve is called that, with the word of the system', async () => {
  const { client } = upstream();
  await assert.rejects(ask(client, 'no-such-host.invalid:80', '/'), (error: WeirError) => {
    assert.equal(error.code, 'upstream_unresolved');
    assert.match(error.message, /does not resolve \((ENOTFOUND|EAI_AGAIN)\)/);
    return true;
  });
  await assert.rejects(ask(client, `127.0.0.1:${await closedPort()}`, '/'), {
    code: 'upstream_connect',
    message: 'The endpoint does not accept the connection (ECONNREFUSED).',
  });
});

test('a connection for which this machine has nothing left is nobody else’s failure, and is told', async (t) => {
  const told: string[] = [];
  const { client } = upstream({}, { onExhausted: ({ message }) => told.push(message) });
  t.mock.method(net, 'connect', () => {
    const socket = new net.Socket();
    setImmediate(() => socket.destroy(Object.assign(new Error('connect EMFILE'), { code: 'EMFILE' })));
    return socket;
  });
  await assert.rejects(ask(client, '127.0.0.1:9', '/'), (error: WeirError) => {
    assert.equal(error.code, 'exhausted');
    assert.equal(judgeError(error, 'listed').failure, undefined);
    return true;
  });
  assert.deepEqual(told, ['This edge has no file descriptor, port or memory left (EMFILE).']);
});

test('a full house is said before anything is sent', async () => {
  const { client, pools } = upstream({ connections: 1 });
  const origin = await httpOrigin(() => undefined);
  const first = ask(client, origin.address, '/').catch((error: WeirError) => error.code);
  await assert.rejects(ask(client, origin.address, '/'), { code: 'upstream_busy' });
  await pools.close();
  assert.equal(await first, 'upstream_cut');
  assert.ok(origin.requests.length <= 1);
});
