// The demo as a process of its own: what it starts works together, and nothing of it is left, however it ends.

import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { chromium, type Page } from 'playwright-core';
import { cleanupsAfterEach } from '../support/cleanups.js';
import { waitFor } from '../support/wait.js';
import { spawnWeir } from '../support/weir.js';
import { isAlive } from '../support/workers.js';
import { useZooKeeper, zkCli } from '../support/zookeeper.js';

const cleanups = cleanupsAfterEach();

interface Demo {
  readonly child: ChildProcess;
  readonly page: string;
  readonly admin: string;
  readonly data: string;
  /** Of the origins, as printed. */
  readonly pids: readonly number[];
  output(): string;
}

async function startDemo(...parameters: string[]): Promise<Demo> {
  const child = spawnWeir(['demo', '--restart-after', '6', ...parameters]);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      output += chunk;
    });
  }
  cleanups.push(() => child.kill('SIGKILL'));
  await waitFor(
    () => {
      if (child.exitCode !== null) throw new Error(`the demo ended:\n${output}`);
      return output.includes('Ctrl-C ends');
    },
    { deadline: 60_000, what: 'the guide' },
  );
  const url = (pattern: RegExp) => pattern.exec(output)?.[1] ?? assert.fail(`no ${pattern} in:\n${output}`);
  return {
    child,
    page: url(/^ {2}(http:\S+)\/$/m),
    admin: url(/^ {2}(http:\S+)\/metrics/m),
    data: url(/ffplay (http:\S+)\/live\/news\.flv/),
    pids: [...output.matchAll(/kill -9 (\d+)/g)].map((match) => Number(match[1])),
    output: () => output,
  };
}

interface SnapshotBody {
  channels: { channel: string; endpoints: { service_address: string }[] }[];
}
async function addresses(demo: Demo, channel = 'news'): Promise<string[]> {
  const body = (await (await fetch(`${demo.admin}/api/v1/snapshot`)).json()) as SnapshotBody;
  const found = body.channels.find((each) => each.channel === channel);
  return (found?.endpoints ?? []).map((each) => each.service_address).sort();
}

async function openPage(demo: Demo): Promise<{ page: Page; problems: string[] }> {
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--autoplay-policy=no-user-gesture-required'],
  });
  cleanups.push(() => browser.close());
  const page = await browser.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  await page.goto(demo.page);
  return { page, problems };
}

/** Pictures that the video element has shown of what it plays now. */
async function frames(page: Page): Promise<number> {
  return Number(await page.evaluate('document.querySelector("video").getVideoPlaybackQuality().totalVideoFrames'));
}

test('players show all three protocols, and the page the endpoints by name', { timeout: 180_000 }, async () => {
  const demo = await startDemo();
  for (const channel of ['news', 'sport', 'music']) {
    await waitFor(async () => (await addresses(demo, channel)).length === 3, { what: `three endpoints of ${channel}` });
  }
  const { page, problems } = await openPage(demo);
  for (const protocol of ['hls', 'flv', 'ws']) {
    await page.click(`[data-protocol=${protocol}]`);
    const before = await frames(page);
    // Three seconds of pictures: more than there are in a first segment or group of pictures alone.
    await waitFor(async () => (await frames(page)) > before + 75, {
      deadline: 60_000,
      what: `pictures over ${protocol}`,
    });
  }
  const table = page.locator('#endpoints');
  await waitFor(async () => (await table.locator('tr.picked').count()) === 1, { what: 'the pick in the table' });
  assert.match((await table.textContent()) ?? '', /origin-1[\s\S]*origin-2[\s\S]*origin-3/);
  assert.deepEqual(problems, []);
});

test('a killed origin is out when its lease ends, and is started again', { timeout: 120_000 }, async () => {
  const demo = await startDemo();
  await waitFor(async () => (await addresses(demo)).length === 3, { what: 'three endpoints' });
  const before = await addresses(demo);
  const [victim = 0] = demo.pids;
  process.kill(victim, 'SIGKILL');
  await waitFor(async () => (await addresses(demo)).length === 2, { what: 'one endpoint less' });
  for (let i = 0; i < 20; i += 1) {
    assert.equal((await fetch(`${demo.data}/live/news.m3u8`)).status, 200);
  }
  await waitFor(() => /origin-1 ended .*SIGKILL/.test(demo.output()), { what: 'a word about it' });
  await waitFor(() => /origin-1 runs again/.test(demo.output()), { what: 'it to run again' });
  await waitFor(async () => (await addresses(demo)).length === 3, { what: 'three endpoints again' });
  assert.deepEqual(await addresses(demo), before);
});

test('Ctrl-C ends all of it, a frozen origin too', { timeout: 120_000 }, async () => {
  const demo = await startDemo();
  assert.equal(demo.pids.length, 3);
  process.kill(demo.pids[1] ?? 0, 'SIGSTOP');
  demo.child.kill('SIGINT');
  const [code] = await once(demo.child, 'exit', { signal: AbortSignal.timeout(60_000) });
  assert.equal(code, 0, demo.output());
  assert.deepEqual(demo.pids.filter(isAlive), []);
});

test('origins end with a demo that is killed', { timeout: 120_000 }, async () => {
  const demo = await startDemo();
  assert.equal(demo.pids.filter(isAlive).length, 3);
  demo.child.kill('SIGKILL');
  await waitFor(() => !demo.pids.some(isAlive), { what: 'the origins to end' });
});

test('on ZooKeeper the origins are ephemeral nodes of their own', { timeout: 180_000 }, async () => {
  const zooKeeper = await useZooKeeper();
  cleanups.push(() => zooKeeper.stop());
  // The killed one stays away until its session, which the server may let live for longer than asked, is over.
  const demo = await startDemo('--zookeeper', zooKeeper.address, '--restart-after', '60');
  await waitFor(async () => (await addresses(demo)).length === 3, { deadline: 60_000, what: 'three endpoints' });
  const nodes = async () => {
    const output = await zkCli(zooKeeper.address, 'ls /channels/news');
    return [...output.matchAll(/origin-\d-\d+/g)].map((match) => match[0].slice(0, 8)).sort();
  };
  assert.deepEqual(await nodes(), ['origin-1', 'origin-2', 'origin-3']);
  process.kill(demo.pids[0] ?? 0, 'SIGKILL');
  await waitFor(async () => (await addresses(demo)).length === 2, { deadline: 60_000, what: 'one endpoint less' });
  demo.child.kill('SIGINT');
  const [code] = await once(demo.child, 'exit', { signal: AbortSignal.timeout(60_000) });
  assert.equal(code, 0, demo.output());
  assert.deepEqual(await nodes(), []);
});
