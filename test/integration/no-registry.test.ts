// Edges without any registry server, as real processes: origins on the command line, or in a file.

import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { cleanupsAfterEach } from '../support/cleanups.js';
import { spawnOrigin } from '../support/origin-process.js';
import { waitFor } from '../support/wait.js';
import { runWeir, serveWeir, type WeirProcess } from '../support/weir.js';

const cleanups = cleanupsAfterEach();

async function serve(...parameters: string[]): Promise<WeirProcess> {
  const weir = await serveWeir('--set', 'workers=0', '--set', 'log.level=error', ...parameters);
  cleanups.push(() => weir.stop().then(() => undefined));
  return weir;
}

async function origin(): Promise<string> {
  const started = await spawnOrigin('a', 'news');
  cleanups.push(() => started.kill());
  return started.address;
}

const addresses = async (weir: WeirProcess) => {
  const answer = await fetch(`${weir.admin}/api/v1/snapshot`);
  return [...(await answer.text()).matchAll(/"service_address":\s*"([^"]+)"/g)].map(([, address]) => address).sort();
};

test('one line is a working edge, and says what it knows', async () => {
  const address = await origin();
  const weir = await serve('--origin', `news=http://${address}`, '--origin', 'news=127.0.0.1:9');
  const playlist = await fetch(`${weir.players}/live/news.m3u8`);
  assert.equal(playlist.status, 200);
  assert.match(await playlist.text(), /#EXTINF/);
  const { code, stdout } = await runWeir(['channels', '--admin', weir.admin, '--json']);
  assert.equal(code, 0);
  assert.deepEqual(
    stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { service_address: string }).service_address)
      .sort(),
    ['127.0.0.1:9', `http://${address}`],
  );
});

test('a file is followed by a running edge, whatever is written to it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'weir-no-registry-'));
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'channels.yaml');
  const address = await origin();
  writeFileSync(path, `channels: {news: ["${address}"]}`);
  const weir = await serve('--registry', 'file', '--set', `registry.file.path=${path}`);
  assert.equal((await fetch(`${weir.players}/live/news.m3u8`)).status, 200);
  writeFileSync(path, 'channels: {news: [');
  await waitFor(() => /the file of endpoints is not used/.test(weir.log()), { what: 'the refusal' });
  assert.deepEqual(await addresses(weir), [address]);
  writeFileSync(`${path}.new`, JSON.stringify({ channels: { news: [address, '127.0.0.1:9'] } }));
  renameSync(`${path}.new`, path);
  await waitFor(async () => (await addresses(weir)).length === 2, { what: 'the second endpoint' });
  const listed = await runWeir(['channels', '--registry', 'file', '--set', `registry.file.path=${path}`]);
  assert.match(listed.stdout, /127\.0\.0\.1:9 /);
});
