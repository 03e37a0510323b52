// Leases of the embedded registry over a restart of a real edge, in order and by kill -9.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { cleanupsAfterEach } from '../support/cleanups.js';
import { waitFor } from '../support/wait.js';
import { serveWeir, type WeirProcess } from '../support/weir.js';

const cleanups = cleanupsAfterEach();

const lease = (weir: WeirProcess, name: string, init: RequestInit) =>
  fetch(`${weir.admin}/api/v1/channels/news/endpoints/${name}`, init);

async function put(weir: WeirProcess, name: string, address: string): Promise<void> {
  const body = JSON.stringify({ service_address: address, zone: 'north', ttl: 300 });
  const answer = await lease(weir, name, { method: 'PUT', headers: { 'content-type': 'application/json' }, body });
  assert.equal(answer.status, 201);
}

async function addresses(weir: WeirProcess): Promise<unknown[]> {
  const answer = await fetch(`${weir.admin}/api/v1/snapshot`);
  const { channels } = (await answer.json()) as { channels: { endpoints: { service_address: string }[] }[] };
  return channels.flatMap(({ endpoints }) => endpoints.map((endpoint) => endpoint.service_address)).sort();
}

test('a restarted edge knows the leases that it had', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'weir-kept-leases-'));
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'leases.json');
  const serve = async () => {
    const registry = ['--registry', 'embedded', '--set', `registry.embedded.stateFile=${path}`];
    const weir = await serveWeir('--set', 'workers=0', '--set', 'shutdown.grace=0', ...registry);
    cleanups.push(() => weir.stop().then(() => undefined));
    return weir;
  };
  const first = await serve();
  await put(first, 'a', '10.0.0.1:80');
  await waitFor(() => existsSync(path) && readFileSync(path, 'utf8').includes('10.0.0.1:80'), { what: 'the file' });
  const gone = once(first.child, 'exit');
  first.child.kill('SIGKILL');
  await gone;

  const second = await serve();
  assert.deepEqual(await addresses(second), ['10.0.0.1:80']);
  await put(second, 'b', '10.0.0.2:80');
  assert.equal((await lease(second, 'a', { method: 'DELETE' })).status, 204);
  assert.equal(await second.stop(), 0);

  const third = await serve();
  assert.deepEqual(await addresses(third), ['10.0.0.2:80']);
});
