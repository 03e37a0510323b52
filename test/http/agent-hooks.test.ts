// The listener that media servers call, over real HTTP.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { listenForHooks } from '../../src/agent/hooks.js';
import type { HookCall } from '../../src/agent/server.js';
import { silentLogger } from '../../src/log.js';

async function start(t: TestContext, token?: string) {
  const calls: HookCall[] = [];
  const settings = { listen: { host: undefined, port: 0 }, token };
  const listener = await listenForHooks(settings, (call) => calls.push(call), silentLogger);
  t.after(() => listener.close());
  const post = (path: string, body = '') => fetch(listener.url + path, { method: 'POST', body });
  return { listener, calls, post };
}

test('a call is heard with the end of its path, its query and its body, and is answered with consent', async (t) => {
  const { calls, post } = await start(t);
  const response = await post('/lal/on_pub_start?x=1', '{"stream_name":"news"}');
  assert.equal(response.status, 200);
  assert.deepEqual(await response.json(), { code: 0, msg: 'success' });
  const [call] = calls;
  assert.deepEqual([call?.name, call?.query.get('x'), call?.body], ['on_pub_start', '1', '{"stream_name":"news"}']);
});

test('it listens on the loopback unless it is told otherwise', async (t) => {
  const { listener } = await start(t);
  assert.match(listener.url, /^http:\/\/127\.0\.0\.1:\d+$/);
});

test('without the token a call is ignored, and its publisher goes on', async (t) => {
  const { calls, post } = await start(t, 's3cret');
  for (const path of ['/', '/?token=', '/?token=other', '/s3cre', '/s3cret2/x']) {
    assert.equal((await post(path, 'x')).status, 200, path);
  }
  assert.equal(calls.length, 0);
  for (const path of ['/?token=s3cret', '/s3cret', '/s3cret/on_publish']) await post(path, 'x');
  assert.equal(calls.length, 3);
});

test('a call of a web page is ignored', async (t) => {
  const { calls, listener } = await start(t);
  const headers = { origin: 'https://example.com' };
  assert.equal((await fetch(listener.url, { method: 'POST', body: 'x', headers })).status, 200);
  assert.equal(calls.length, 0);
});

test('a body without end is cut off, and calls after it are heard', async (t) => {
  const { calls, post, listener } = await start(t);
  const { hostname, port } = new URL(listener.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  const closed = new Promise((resolve) => socket.on('close', resolve));
  socket.write('POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n');
  const piece = Buffer.alloc(65_536, 'x');
  const flood = () => {
    while (!socket.destroyed && socket.write(`10000\r\n${piece}\r\n`));
  };
  socket.on('drain', flood);
  flood();
  socket.resume();
  await closed;
  await post('/', 'x');
  assert.equal(calls.length, 1);
});
