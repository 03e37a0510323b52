// The admin listener of a running edge with the embedded registry.

import assert from 'node:assert/strict';
import { get } from 'node:http';
import { after, before, test } from 'node:test';
import { type Edge, startConfiguredEdge } from '../../src/commands/edge.js';
import { silentLogger } from '../../src/log.js';
import { testConfig } from '../support/data-plane.js';
import { waitFor } from '../support/wait.js';

let edge: Edge;
let admin: string;
before(async () => {
  edge = await startConfiguredEdge(testConfig({ workers: 0, registry: { kind: 'embedded' } }), silentLogger);
  admin = `http://127.0.0.1:${edge.adminAddress.port}`;
  await edge.ready();
});
after(() => edge.close());

async function read(path: string): Promise<{ status: number; body: unknown }> {
  const answer = await fetch(admin + path);
  return { status: answer.status, body: await answer.json() };
}

function register(channel: string, id: string, body: object) {
  const url = `${admin}/api/v1/channels/${encodeURIComponent(channel)}/endpoints/${id}`;
  return fetch(url, { method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
}

test('alive and ready once the registry was read', async () => {
  assert.deepEqual(await read('/healthz'), { status: 200, body: { status: 'alive' } });
  const { status, body } = await read('/readyz');
  assert.equal(status, 200);
  const { revision } = body as { revision: number };
  assert.deepEqual(body, { snapshot: 'live', revision, registry: 'followed', accepting: true, draining: false });
});

test('a registered endpoint is in the list of channels, in the snapshot and explained', async () => {
  await register('späti', 'a', { service_address: '127.0.0.1:9', load: 0.25, packet_loss_rate: 0.01, bitrate: 900 });
  await register('späti', 'b', { service_address: '127.0.0.2:9', load: 0.5 });
  // Reports are published in batches.
  const channels = async () =>
    ((await read('/api/v1/channels')).body as { channels: { endpoints: number }[] }).channels;
  await waitFor(async () => (await channels())[0]?.endpoints === 2, { what: 'both endpoints' });
  assert.deepEqual(await channels(), [{ channel: 'späti', endpoints: 2, lowest_load: 0.25 }]);
  const snapshot = (await read('/api/v1/snapshot')).body as { channels: { endpoints: Record<string, unknown>[] }[] };
  const [a] = snapshot.channels[0]?.endpoints ?? [];
  assert.equal(a?.['service_address'], '127.0.0.1:9');
  assert.equal(a?.['bitrate'], 900);
  const { status, body } = await read(`/api/v1/channels/${encodeURIComponent('späti')}/explain`);
  assert.equal(status, 200);
  const explained = body as { picked: string; policy: string; endpoints: Record<string, unknown>[] };
  assert.equal(explained.policy, 'adaptive');
  assert.equal(explained.picked, a?.['id']);
  const [first] = explained.endpoints;
  assert.equal(first?.['eligible'], true);
  assert.equal(first?.['in_flight'], 0);
  assert.equal(typeof first?.['report_age_seconds'], 'number');
  assert.ok(Math.abs(Number((first?.['terms'] as { score?: number } | undefined)?.score) - 0.35) < 1e-9);
});

test('an endpoint at an address of weir itself is refused, the real ports counting', async () => {
  await register('self', 'admin', { service_address: `127.0.0.1:${edge.adminAddress.port}`, load: 0 });
  await register('self', 'data', { service_address: `[::ffff:127.0.0.1]:${edge.dataAddress.port}`, load: 0 });
  await register('self', 'other', { service_address: '127.0.0.1:9', load: 1 });
  const explained = await waitFor(
    async () => {
      const { status, body } = await read('/api/v1/channels/self/explain');
      const { endpoints } = body as { endpoints?: { reason?: string }[] };
      return status === 200 && endpoints?.length === 3 ? endpoints : undefined;
    },
    { what: 'all three' },
  );
  assert.deepEqual(explained.map(({ reason }) => reason).sort(), ['address_refused', 'address_refused', undefined]);
});

test('what the workers show of their state is a path each, and nothing else is', async () => {
  assert.deepEqual(await read('/api/v1/relays'), { status: 200, body: { relays: [] } });
  assert.deepEqual(await read('/api/v1/hls'), { status: 200, body: { sessions: [], cache: { objects: 0, bytes: 0 } } });
  for (const name of ['constructor', '__proto__', 'explain', 'metrics', 'ping'])
    assert.equal((await read(`/api/v1/${name}`)).status, 404, name);
});

test('what is not there is 404, with a code', async () => {
  assert.equal((await read('/nothing')).status, 404);
  const { status, body } = await read('/api/v1/channels/nobody/explain');
  assert.equal(status, 404);
  assert.equal((body as { error: string }).error, 'unknown_channel');
  assert.equal((await read('/api/v1/channels/%ff/explain')).status, 400);
});

test('metrics name the state of the registry and count requests by protocol', async () => {
  const text = await (await fetch(`${admin}/metrics`)).text();
  assert.match(text, /^weir_registry_state\{state="live"\} 1$/m);
  assert.match(text, /^weir_endpoints\{state="registered"\} 5$/m);
  assert.match(text, /^weir_http_sent_bytes_total\{protocol="hls"\} 0$/m);
  await fetch(`http://127.0.0.1:${edge.dataAddress.port}/live/nobody.m3u8`);
  const after = await (await fetch(`${admin}/metrics`)).text();
  assert.match(after, /^weir_http_requests_total\{protocol="other",status_class="4xx"\} 1$/m);
});

test('a name of a channel that a player makes up never becomes a label', async () => {
  await fetch(`http://127.0.0.1:${edge.dataAddress.port}/live/made-up-by-a-player.flv`);
  assert.doesNotMatch(await (await fetch(`${admin}/metrics`)).text(), /made-up/);
});

/** fetch sets its own Host. */
function statusFor(path: string, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    get(`${admin}${path}`, { headers: { host } }, (answer) => {
      answer.resume().on('end', () => resolve(answer.statusCode ?? 0));
    }).on('error', reject);
  });
}

test('a web page whose name leads here reads nothing of the API; whoever watches asks by any name', async () => {
  const api = ['/api/v1/snapshot', '/api/v1/channels', '/api/v1/relays', '/api/v1/hls', '/api/v1/channels/x/explain'];
  for (const path of api) assert.equal(await statusFor(path, 'evil.example:8081'), 403, path);
  for (const path of ['/healthz', '/readyz', '/metrics'])
    assert.equal(await statusFor(path, 'evil.example'), 200, path);
  for (const host of ['localhost', '[::1]:1', 'weir'])
    assert.equal(await statusFor('/api/v1/snapshot', host), 200, host);
});

test('a second edge on the same port is told, and leaves nothing running', async () => {
  const taken = testConfig({ registry: { kind: 'embedded' }, listen: `127.0.0.1:${edge.dataAddress.port}` });
  await assert.rejects(startConfiguredEdge(taken, silentLogger), { code: 'EADDRINUSE' });
});
