// What asks a media server's API, over real HTTP: answers, silence, and answers that are none.

import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import { type TestContext, test } from 'node:test';
import { kinds } from '../../src/agent/kinds.js';
import { Poller } from '../../src/agent/poller.js';
import { Api, Refused } from '../../src/agent/request.js';
import type { Reading } from '../../src/agent/stream.js';
import { silentLogger } from '../../src/log.js';
import { startHttpOrigin } from '../support/origin-server.js';
import { closedPort } from '../support/ports.js';
import { waitFor } from '../support/wait.js';

const streams = JSON.stringify({
  data: { streams: [{ app: 'live', name: 'news', status: 'publishing', publisher: { id: '1' }, subscribers: 0 }] },
});

function poll(t: TestContext, url: string, interval = 60_000) {
  const server = kinds['node-media-server'].create({ user: undefined, secret: undefined }, () => 0);
  const poller = new Poller(server, url, { intervalMs: interval, deadlineMs: 300 }, silentLogger);
  const stop = new AbortController();
  const readings: Reading[] = [];
  let gone = 0;
  const listener = { answered: (reading: Reading) => void readings.push(reading), gone: () => void gone++ };
  const running = poller.run(listener, stop.signal);
  const end = async () => {
    stop.abort();
    await running;
  };
  t.after(end);
  return { poller, readings, gone: () => gone, end };
}

async function serve(t: TestContext, listener: RequestListener) {
  const origin = await startHttpOrigin(listener);
  t.after(() => origin.close());
  return origin;
}

test('it asks at once, again when there is reason to look, and ends when told', async (t) => {
  const origin = await serve(t, (_, response) => response.end(streams));
  const { poller, readings, end } = poll(t, `http://${origin.address}`);
  await waitFor(() => readings.length === 1);
  assert.equal(readings[0]?.streams[0]?.name, 'news');
  for (let i = 0; i < 50; i++) poller.look();
  await waitFor(() => readings.length === 2);
  await end();
  assert.ok(origin.requests.length <= 4);
});

test('a server that hangs, answers without end or answers something else is asked again, and none of it is an answer', async (t) => {
  const manners: RequestListener[] = [
    () => {},
    (_, response) => void response.writeHead(200).write('{'),
    (_, response) => response.writeHead(200, { 'content-length': 1e9 }).write('x'),
    (_, response) => response.end('<html>'),
    (_, response) => response.writeHead(503).end(),
    (request) => request.socket.destroy(),
    (_, response) => response.end(streams),
  ];
  const origin = await serve(t, (request, response) =>
    (manners.length > 1 ? manners.shift() : manners[0])?.(request, response),
  );
  const { readings, gone } = poll(t, `http://${origin.address}`, 10);
  await waitFor(() => readings.length > 0);
  assert.equal(manners.length, 1);
  assert.equal(gone(), 0);
});

test('that nobody listens is said when it was confirmed', async (t) => {
  const { gone, readings } = poll(t, `http://127.0.0.1:${await closedPort()}`, 60_000);
  await waitFor(() => gone() === 1);
  assert.equal(readings.length, 0);
});

test('an answer that is too large is given up, however it comes', async (t) => {
  const origin = await serve(t, (_, response) => {
    const more = () => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536, ' ')));
    };
    response.on('drain', more);
    more();
  });
  const api = new Api(`http://${origin.address}`, 100_000);
  t.after(() => api.close());
  await assert.rejects(
    api.ask({ path: '/' }, AbortSignal.timeout(20_000)),
    (error: Error) => error.name !== 'TimeoutError',
  );
});

test('a refused connection is told from every other failure', async (t) => {
  const api = new Api(`http://localhost:${await closedPort()}/below/`);
  t.after(() => api.close());
  await assert.rejects(api.ask({ path: '/' }, AbortSignal.timeout(20_000)), Refused);
});
