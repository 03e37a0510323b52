// Endpoints that point at weir itself, by every way in which it connects.

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { WebSocket } from 'ws';
import { cleanupsAfterEach } from '../support/cleanups.js';
import { endpoint, metricValue, startDataPlane } from '../support/data-plane.js';
import { startHttpOrigin } from '../support/origin-server.js';
import { SimulatedPackager } from '../support/simulated-packager.js';
import { ask, createUpstream } from '../support/upstream.js';

const cleanups = cleanupsAfterEach();

/** What nobody may reach through an endpoint, on the loopback address as localhost is. */
async function admin() {
  const started = await startHttpOrigin((_request, response) => response.end('secret'));
  cleanups.push(() => started.close());
  return started;
}
function upstream(own: number) {
  const created = createUpstream({ allow: ['127.0.0.0/8', '::1/128'] });
  created.destinations.setOwn([{ address: '127.0.0.1', port: own }]);
  cleanups.push(() => created.pools.close());
  return created;
}

suite('a connection to a listener of weir is refused', () => {
  test('by address and by name', async () => {
    const { port, requests } = await admin();
    const { client } = upstream(port);
    for (const host of ['127.0.0.1', '[::ffff:127.0.0.1]', 'localhost']) {
      await assert.rejects(ask(client, `${host}:${port}`, '/'), { code: 'address_refused' }, host);
    }
    assert.equal(requests.length, 0);
  });

  test('after a redirect, by address and by name', async () => {
    const { port, requests } = await admin();
    const { client } = upstream(port);
    for (const host of ['127.0.0.1', '[::ffff:127.0.0.1]', '2130706433', 'localhost']) {
      const origin = await startHttpOrigin((_request, response) =>
        response.writeHead(302, { location: `http://${host}:${port}/api/v1/snapshot` }).end(),
      );
      cleanups.push(() => origin.close());
      await assert.rejects(
        ask(client, origin.address, '/', { follow: () => ({}) }),
        { code: 'upstream_redirect' },
        host,
      );
    }
    assert.equal(requests.length, 0);
  });

  test('also one that was known before it was', async () => {
    const { port, requests } = await admin();
    const { client, destinations } = upstream(1);
    assert.equal((await ask(client, `127.0.0.1:${port}`, '/', { headers: { connection: 'close' } })).body, 'secret');
    destinations.setOwn([{ address: '127.0.0.1', port }]);
    await assert.rejects(ask(client, `127.0.0.1:${port}`, '/'), { code: 'address_refused' });
    assert.equal(requests.length, 1);
  });

  test('for a WebSocket that passes through', async () => {
    const { port, requests } = await admin();
    for (const host of ['127.0.0.1', 'localhost']) {
      const weir = await startDataPlane({ relay: { enabled: false } });
      cleanups.push(() => weir.close());
      weir.plane.setOwnListeners([{ address: '127.0.0.1', port }]);
      weir.register(endpoint('news', `${host}:${port}`));
      const socket = new WebSocket(`ws://127.0.0.1:${weir.port}/live/news.flv`);
      const status = await new Promise((resolve) => {
        socket.on('unexpected-response', (_request, answer) => resolve(answer.statusCode));
        socket.on('error', () => undefined);
      });
      socket.terminate();
      assert.ok(status === 502 || status === 503, `${status}`);
    }
    assert.equal(requests.length, 0);
  });
});

test('an endpoint that is weir itself is never picked, nor its redirects followed to it, and another one serves', async () => {
  const weir = await startDataPlane();
  cleanups.push(() => weir.close());
  const good = await new SimulatedPackager({ name: 'good' }).start();
  cleanups.push(() => good.close());
  weir.register(endpoint('news', `127.0.0.1:${weir.port}`, { load: 0 }), endpoint('news', good.address, { load: 0.9 }));
  const playlist = await fetch(`${weir.url}/live/news.m3u8`);
  assert.equal(playlist.status, 200, await playlist.text());
  assert.equal(await metricValue(weir.metrics, 'weir_refused_addresses_total'), 1);
  const explained = weir.plane.explain(endpoint('news', '10.0.0.1:1').channel) as { endpoints: { reason?: string }[] };
  assert.equal(explained.endpoints[0]?.reason, 'address_refused');
});

test('what becomes an own address after the endpoint was registered is not picked from then on', async () => {
  const weir = await startDataPlane();
  cleanups.push(() => weir.close());
  const good = await new SimulatedPackager({ name: 'good' }).start();
  cleanups.push(() => good.close());
  weir.register(endpoint('news', good.address));
  assert.equal((await fetch(`${weir.url}/live/news.m3u8`)).status, 200);
  weir.plane.setOwnListeners([{ address: '127.0.0.1', port: Number(good.address.split(':')[1]) }]);
  assert.equal(await metricValue(weir.metrics, 'weir_refused_addresses_total'), 1);
});
