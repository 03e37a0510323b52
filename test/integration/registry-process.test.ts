// The registry process and its parent: neither outlives what it needs.

import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../../src/package.js';
import type { StartMessage } from '../../src/registry/messages.js';
import { RecordingSink } from '../support/recording-sink.js';
import { live, runRegistry } from '../support/running-registry.js';
import { waitFor } from '../support/wait.js';
import { startZooKeeper, zkCli } from '../support/zookeeper.js';

const settings = {
  servers: '127.0.0.1:1',
  trees: [{ path: '/channels/{channel}/{endpoint}', formats: 'auto' as const }],
  maxSessions: 1,
  sessionTimeout: 4_000,
  readDepth: 100,
  reconcileInterval: 60_000,
  credentials: undefined,
  limits: { endpoints: 1_000, endpointsPerChannel: 1_000 },
};

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('the registry process ends when its parent is gone', async () => {
  const child = fork(join(packageRoot, 'dist/src/registry/process-entry.js'), [], {
    execArgv: [],
    serialization: 'advanced',
  });
  const start: StartMessage = { kind: 'start', settings, known: false };
  child.send(start);
  await once(child, 'message');
  child.disconnect();
  const [code] = await once(child, 'exit');
  assert.equal(code, 0);
});

test('the parent ends the registry process; Ctrl-C and SIGTERM for the whole group do not', async (t) => {
  const server = await startZooKeeper();
  t.after(() => server.stop());
  const running = runRegistry(t, { servers: server.address });
  await live(running);
  const pid = running.pid();
  process.kill(pid, 'SIGINT');
  process.kill(pid, 'SIGTERM');
  // It still follows: what is written now is told.
  await zkCli(server.address, 'create /channels', 'create /channels/news', 'create /channels/news/a a:1');
  await waitFor(() => running.sink.of('news').length === 1, { what: 'a change that came after the signals' });
  assert.ok(isAlive(pid));
  await running.stop();
  await waitFor(() => !isAlive(pid));
  assert.equal(running.sink.sequence.includes('stale'), false);
});

test('without the npm package `zookeeper` the run ends with an error that says what to do', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'weir-no-client-'));
  t.after(() => rmSync(directory, { recursive: true }));
  cpSync(join(packageRoot, 'dist/src'), directory, { recursive: true });
  writeFileSync(join(directory, 'package.json'), '{"type":"module"}');
  const { createProcessRegistry } = (await import(
    join(directory, 'registry/registry-process.js')
  )) as typeof import('../../src/registry/registry-process.js');
  const log = () => {};
  const registry = createProcessRegistry(settings, { info: log, warn: log, error: log });
  await assert.rejects(
    registry.run(new RecordingSink(), new AbortController().signal),
    /npm package `zookeeper` is not installed .*npm rebuild zookeeper.*--registry embedded/s,
  );
});
