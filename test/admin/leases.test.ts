import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, test } from 'node:test';
import { handleLeases } from '../../src/admin/leases.js';
import { EmbeddedRegistry } from '../../src/registry/embedded.js';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function serve(token?: string, maxEndpoints = 100, remoteAddress?: string) {
  const registry = new EmbeddedRegistry({ maxTtl: 60_000, maxEndpoints, maxEndpointsPerChannel: 100 });
  const handle = handleLeases(registry, token);
  server = createServer(async (request, response) => {
    // All traffic of the tests is on this machine; only the address is another one.
    if (remoteAddress !== undefined) Object.defineProperty(request.socket, 'remoteAddress', { value: remoteAddress });
    if (!(await handle(request, response, request.url ?? ''))) response.writeHead(418).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const ask = async (method: string, path: string, body?: string | object, headers: Record<string, string> = {}) => {
    const text = typeof body === 'object' ? JSON.stringify(body) : body;
    const type: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' };
    const sent = request({ port, method, path, headers: { ...type, ...headers }, agent: false }).end(text);
    const [response] = await once(sent, 'response');
    let answer = '';
    for await (const chunk of response) answer += chunk;
    return { status: response.statusCode as number, headers: response.headers, body: answer && JSON.parse(answer) };
  };
  return { registry, port, ask };
}

const path = '/api/v1/channels/news/endpoints/a';
const info = { service_address: 'http://10.0.0.1:8080/x', load: 0.5, bitrate: 1200, packet_loss_rate: 0.01 };

test('PUT makes a lease, PUT again renews it, DELETE ends it', async () => {
  const { registry, ask } = await serve();
  const made = await ask('PUT', path, info);
  assert.equal(made.status, 201);
  assert.deepEqual(made.body, { channel: 'news', id: 'a', state: 'created', ttl: 10 });
  const renewed = await ask('PUT', path, { ...info, load: null, ttl: 3600 });
  assert.equal(renewed.status, 200);
  assert.deepEqual(renewed.body, { channel: 'news', id: 'a', state: 'renewed', ttl: 60 });
  const [lease] = registry.list();
  assert.ok(lease);
  const { address, load, bitrate, packetLoss } = lease.endpoint;
  assert.deepEqual(
    { address, load, bitrate, packetLoss },
    { address: 'http://10.0.0.1:8080/x', load: undefined, bitrate: 1200, packetLoss: 0.01 },
  );
  assert.equal((await ask('DELETE', path)).status, 204);
  assert.equal((await ask('DELETE', path)).status, 404);
  assert.equal(registry.list().length, 0);
});

test('names are decoded, and bad ones refused', async () => {
  const { registry, ask } = await serve();
  assert.equal((await ask('PUT', '/api/v1/channels/%C3%B6l%201/endpoints/b%3A1', info)).status, 201);
  assert.deepEqual(
    registry.list().map(({ channel, name }) => [channel, name]),
    [['öl 1', 'b:1']],
  );
  for (const bad of ['a%2Fb', '%00', '..', '%zz', '%ff', 'x'.repeat(256)]) {
    assert.equal((await ask('PUT', `/api/v1/channels/${bad}/endpoints/a`, info)).status, 400, bad);
    assert.equal((await ask('PUT', `/api/v1/channels/a/endpoints/${bad}`, info)).status, 400, bad);
  }
});

test('400 says what is wrong and where', async () => {
  const { registry, ask } = await serve();
  const table: [string | object, RegExp][] = [
    ['', /not JSON/],
    ['{', /not JSON/],
    ['[]', /body/],
    ['null', /body/],
    [{}, /service_address/],
    [{ service_address: 'file:///etc/passwd' }, /service_address: expected host:port/],
    [{ service_address: 7 }, /service_address: expected host:port/],
    [{ ...info, load: 75 }, /load: expected a fraction from 0 to 1/],
    [{ ...info, load: '0.5' }, /load: expected a fraction from 0 to 1/],
    [{ ...info, bitrate: -1 }, /bitrate: expected kbit\/s/],
    [{ ...info, packet_loss_rate: -0.1 }, /packet_loss_rate/],
    [{ ...info, ttl: 0 }, /ttl: expected seconds/],
    [{ ...info, ttl: '10' }, /ttl: expected seconds/],
    [{ ...info, packetLoss: 0.1 }, /packetLoss/],
    ['{"service_address":"o:80","load":1e999}', /load/],
    ['['.repeat(8_000), /not JSON/],
  ];
  for (const [body, expected] of table) {
    const { status, body: answer } = await ask('PUT', path, body);
    assert.equal(status, 400, JSON.stringify(body));
    assert.match(answer.message, expected);
  }
  assert.equal(registry.list().length, 0);
});

test('other types, methods, sizes and paths are told apart', async () => {
  const { ask } = await serve();
  assert.equal((await ask('PUT', path, '{}', { 'content-type': 'text/plain' })).status, 415);
  assert.equal((await ask('PUT', path)).status, 415);
  assert.equal((await ask('PUT', path, info, { 'content-type': 'Application/JSON; charset=utf-8' })).status, 201);
  const post = await ask('POST', path, info);
  assert.equal(post.status, 405);
  assert.equal(post.headers.allow, 'PUT, DELETE');
  assert.equal((await ask('PUT', path, `{"x":"${'y'.repeat(20_000)}"}`)).status, 413);
  assert.equal((await ask('PUT', '/api/v1/channels/news/endpoints', info)).status, 418);
  assert.equal((await ask('PUT', `${path}/b`, info)).status, 418);
});

test('a body that is longer than announced sizes allow is cut off', async () => {
  const { port } = await serve();
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk;
  });
  socket.on('error', () => {});
  socket.write(
    `PUT ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`,
  );
  const chunk = 'x'.repeat(4_096);
  for (let i = 0; i < 64; i++) socket.write(`1000\r\n${chunk}\r\n`);
  await new Promise((resolve) => socket.once('close', resolve));
  assert.match(answer, /^HTTP\/1.1 413 /);
});

test('with a token every write needs it', async () => {
  const { registry, ask } = await serve('s3cret');
  const none = await ask('PUT', path, info);
  assert.equal(none.status, 401);
  assert.match(none.headers['www-authenticate'] ?? '', /^Bearer/);
  for (const authorization of ['Bearer wrong', 'Bearer s3cre', 'Bearer s3cret2', 'Basic s3cret', 's3cret', 'Bearer ']) {
    assert.equal((await ask('PUT', path, info, { authorization })).status, 401, authorization);
    assert.equal((await ask('DELETE', path, undefined, { authorization })).status, 401, authorization);
  }
  assert.equal(registry.list().length, 0);
  assert.equal((await ask('PUT', path, info, { authorization: 'Bearer s3cret' })).status, 201);
  assert.equal((await ask('DELETE', path, undefined, { authorization: 'bearer s3cret' })).status, 204);
});

test('without a token only direct requests of this machine write', async () => {
  const { ask } = await serve();
  assert.equal((await ask('PUT', path, info)).status, 201);
  for (const header of ['x-forwarded-for', 'forwarded', 'via', 'x-real-ip']) {
    assert.equal((await ask('PUT', path, info, { [header]: '10.0.0.1' })).status, 403, header);
  }
});

test('without a token nobody else writes, and with one anybody who has it', async () => {
  for (const address of ['10.0.0.1', '::ffff:10.0.0.1', '128.0.0.1', 'fe80::1', '::2', '']) {
    const { ask } = await serve(undefined, 100, address);
    assert.equal((await ask('PUT', path, info)).status, 403, address);
    assert.equal((await ask('DELETE', path)).status, 403, address);
    server?.close();
  }
  for (const address of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1']) {
    const { ask } = await serve(undefined, 100, address);
    assert.equal((await ask('PUT', path, info)).status, 201, address);
    server?.close();
  }
  const { ask } = await serve('s3cret', 100, '10.0.0.1');
  assert.equal((await ask('PUT', path, info, { authorization: 'Bearer s3cret' })).status, 201);
});

test('a web page never writes, token or not', async () => {
  const { registry, ask } = await serve();
  for (const origin of ['http://evil.example', 'http://127.0.0.1:8081', 'null']) {
    assert.equal((await ask('PUT', path, info, { origin })).status, 403);
  }
  assert.equal(registry.list().length, 0);
});

test('507 when the registry is full', async () => {
  const { ask } = await serve(undefined, 1);
  assert.equal((await ask('PUT', path, info)).status, 201);
  assert.equal((await ask('PUT', '/api/v1/channels/news/endpoints/b', info)).status, 507);
  assert.equal((await ask('PUT', path, info)).status, 200);
});

test('a lease says its status, weight, zone, priority, version, properties and path', async () => {
  const { registry, ask } = await serve();
  const said = { status: 'draining', weight: 0.5, zone: 'a', priority: 1, version: '2', properties: { a: 'b' } };
  assert.equal((await ask('PUT', path, { service_address: 'o:80', path: '/{channel}{rest}', ...said })).status, 201);
  const [lease] = registry.list();
  const { address, draining, weight, zone, priority, release, properties } = lease?.endpoint ?? {};
  assert.deepEqual(
    { address, draining, weight, zone, priority, release, properties },
    {
      ...{ address: 'http://o:80/{channel}{rest}', draining: true, weight: 0.5, zone: 'a', priority: 1, release: '2' },
      properties: { a: 'b' },
    },
  );
  assert.equal((await ask('PUT', path, { ...info, status: 'off' })).status, 200);
  assert.equal(registry.list()[0]?.eligible, false);
  const wrong = { ...info, status: 'gone', weight: '1', zone: '', path: 'x', priority: 0.5, properties: 'x' };
  const { status, body } = await ask('PUT', path, wrong);
  assert.equal(status, 400);
  for (const field of ['status: expected one of', 'weight: expected', 'zone:', 'path:', 'priority: expected a whole']) {
    assert.ok(body.message.includes(field), field);
  }
});

test('a lease that somebody drains stays so over renewals, until it is undrained or ends', async () => {
  const { registry, ask } = await serve();
  const isDraining = () => registry.list()[0]?.endpoint.draining === true;
  assert.equal((await ask('PUT', `${path}/status`, { status: 'draining' })).status, 404);
  await ask('PUT', path, info);
  const drained = await ask('PUT', `${path}/status`, { status: 'draining' });
  assert.deepEqual([drained.status, drained.body], [200, { channel: 'news', id: 'a', status: 'draining' }]);
  assert.ok(isDraining());
  await ask('PUT', path, { ...info, load: 0.9 });
  assert.ok(isDraining());
  assert.equal(registry.list()[0]?.endpoint.version, 2);
  await ask('PUT', path, { ...info, status: 'draining' });
  await ask('PUT', `${path}/status`, { status: 'live' });
  assert.ok(isDraining(), 'its owner says so itself');
  await ask('PUT', path, info);
  assert.ok(!isDraining());
  await ask('PUT', `${path}/status`, { status: 'draining' });
  await ask('DELETE', path);
  await ask('PUT', path, info);
  assert.ok(!isDraining());
});

test('the status of a lease is written with the rights of a lease, and only as JSON with one of two words', async () => {
  const { ask } = await serve('secret');
  const owner = { authorization: 'Bearer secret' };
  await ask('PUT', path, info, owner);
  assert.equal((await ask('PUT', `${path}/status`, { status: 'draining' })).status, 401);
  for (const body of ['', '{', {}, { status: 'off' }, { status: 'live', more: 1 }, '"live"']) {
    assert.equal((await ask('PUT', `${path}/status`, body, owner)).status, 400, JSON.stringify(body));
  }
  assert.equal((await ask('DELETE', `${path}/status`, undefined, owner)).status, 405);
});
