// `weir lock` and `weir elect` as processes on a real ZooKeeper: kills, pauses, and who holds what when.

import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { assertOneAtATime, linesOf, tokensIn } from '../support/token-log.js';
import { waitFor } from '../support/wait.js';
import { runWeir, spawnWeir } from '../support/weir.js';
import { startZooKeeper, type ZooKeeperServer } from '../support/zookeeper.js';

let zookeeper: ZooKeeperServer;
let folder = '';
before(async () => {
  zookeeper = await startZooKeeper();
  folder = mkdtempSync(join(tmpdir(), 'weir-lock-'));
});
after(async () => {
  rmSync(folder, { recursive: true, force: true });
  await zookeeper.stop();
});

const env = () => ({
  WEIR_REGISTRY_ZOOKEEPER_SERVERS: zookeeper.address,
  // Short, since its end is waited for; long enough for a machine with much else to do.
  WEIR_REGISTRY_ZOOKEEPER_SESSION_TIMEOUT: '3s',
});
const run = (...words: string[]) => runWeir(words, '', { ...env(), WEIR_REGISTRY_ZOOKEEPER_SESSION_TIMEOUT: '10s' });

/** Writes its token and the time until it is killed: SIGTERM does not end it, and it works in a child of its own. */
const stubborn =
  'trap "" TERM; (while :; do echo "$WEIR_LOCK_TOKEN $(date +%s%N)" >> "$0"; sleep 0.03; done) & wait; wait';

function start(
  t: TestContext,
  ...words: string[]
): { readonly child: ChildProcess; readonly ended: Promise<number | null> } {
  const child = spawnWeir(words, env());
  const ended = once(child, 'close').then(([code]) => code as number | null);
  child.stdout?.resume();
  child.stderr?.resume();
  t.after(async () => {
    child.kill('SIGCONT');
    child.kill('SIGKILL');
    await ended;
  });
  return { child, ended };
}

describe('weir lock', { concurrency: true }, () => {
  test('runs the command under the lock, hands it the token, and exits as it does', async () => {
    const done = await run('lock', 'plain', '--json', '--', 'sh', '-c', 'echo "token $WEIR_LOCK_TOKEN"; exit 7');
    assert.equal(done.code, 7, done.stderr);
    assert.match(done.stdout, /^token \d+\n$/);
    const events = done.stderr
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { event: string }).event);
    assert.deepEqual(events, ['waiting', 'held', 'released']);
    const missing = await run('lock', 'plain', '--', 'weir-no-such-command');
    assert.deepEqual([missing.code, missing.stderr], [127, 'weir: weir-no-such-command: no such command\n']);
    const misnamed = await run('lock', 'a/b', '--', 'true');
    assert.equal(misnamed.code, 2);
  });

  test('a signal goes to the command', async (t) => {
    const log = join(folder, 'signals');
    const { child, ended } = start(
      t,
      'lock',
      'signals',
      '--',
      'sh',
      '-c',
      `trap 'exit 9' HUP; echo up > ${log}; while :; do sleep 0.05; done`,
    );
    await waitFor(() => existsSync(log));
    child.kill('SIGHUP');
    assert.equal(await ended, 9);
  });

  for (const how of ['SIGSTOP', 'SIGKILL'] as const) {
    test(`${how} of the one that holds it: the next gets it, and never do two commands run`, async (t) => {
      const log = join(folder, how);
      const lock = ['lock', how, '--', 'sh', '-c', stubborn, log];
      const first = start(t, ...lock);
      await waitFor(() => tokensIn(log).length === 1);
      const late = await run('lock', how, '--timeout', '0.5', '--', 'true');
      assert.equal(late.code, 75);
      assert.match(late.stderr, /was not got in 0\.5 s/);
      start(t, ...lock);
      first.child.kill(how);
      await waitFor(() => tokensIn(log).length === 2, { what: 'the second to have the lock' });
      const count = linesOf(log).length;
      first.child.kill('SIGCONT');
      if (how === 'SIGSTOP') assert.equal(await first.ended, 75);
      await waitFor(() => linesOf(log).length > count + 5);
      assertOneAtATime(log);
    });
  }

  test('shared holders run together, an exclusive one waits for them', async (t) => {
    const log = join(folder, 'shared');
    const command = ['sh', '-c', stubborn, log];
    const readers = [
      start(t, 'lock', 'shared', '--shared', '--', ...command),
      start(t, 'lock', 'shared', '--shared', '--', ...command),
    ];
    await waitFor(() => tokensIn(log).length === 2);
    const late = await run('lock', 'shared', '--timeout', '0.5', '--', 'true');
    assert.equal(late.code, 75, late.stderr);
    for (const { child } of readers) child.kill('SIGKILL');
    assert.equal((await run('lock', 'shared', '--', 'true')).code, 0);
  });
});

describe('weir elect', { concurrency: true }, () => {
  test('runs its command on the leader only, and tells each change to who looks', async (t) => {
    const log = join(folder, 'elect');
    const watcher = spawnWeir(['elect', 'leaders', '--json'], env());
    let told = '';
    watcher.stdout?.on('data', (chunk) => {
      told += chunk;
    });
    watcher.stderr?.resume();
    await waitFor(() => told.includes('"leading"'));
    const ended = once(watcher, 'close');
    const one = start(t, 'elect', 'leaders', '--', 'sh', '-c', stubborn, log);
    watcher.kill('SIGTERM');
    await ended;
    assert.match(told, /"event":"leader","name":"leaders","who":".*pid.*","token":"\d+"/);
    await waitFor(() => tokensIn(log).length === 1);
    start(t, 'elect', 'leaders', '--', 'sh', '-c', stubborn, log);
    one.child.kill('SIGSTOP');
    await waitFor(() => tokensIn(log).length === 2);
    one.child.kill('SIGCONT');
    await waitFor(() => linesOf(log).length > 20);
    assertOneAtATime(log);
  });
});
