// The commands that write to ZooKeeper, as processes, on one real server.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { waitFor } from '../support/wait.js';
import { runWeir, serveWeir, spawnWeir } from '../support/weir.js';
import { useZooKeeper, writeNodes, zkCli } from '../support/zookeeper.js';

let zookeeper: Awaited<ReturnType<typeof useZooKeeper>>;
let root = '';

before(async () => {
  zookeeper = await useZooKeeper();
  root = `/writes-${process.pid}`;
});
after(() => zookeeper.stop());

/** Runs it on the server, below a root of its own. */
const weir = (words: readonly string[], input = '', env: Record<string, string> = {}, folder = '') =>
  runWeir(words, input, {
    WEIR_REGISTRY_ZOOKEEPER_SERVERS: zookeeper.address,
    WEIR_REGISTRY_ZOOKEEPER_ROOT: root + folder,
    ...env,
  });

describe('at the command line', { concurrency: true }, () => {
  test('channel put makes a node, changes single values of it, and overwrites nobody', async () => {
    const path = `${root}/put/news/a`;
    const put = (...words: string[]) => weir(['channel', 'put', 'news', 'a', ...words], '', {}, '/put');
    const made = await put('--address', '10.0.0.1:80', '--load', '0.2');
    assert.equal(made.code, 0, made.stderr);
    assert.equal(made.stdout, `${path}  new\n+ {"service_address":"10.0.0.1:80","load":0.2}\n`);
    await writeNodes(zookeeper.address, [
      { path, data: '{"service_address":"10.0.0.1:80","load":0.3,"id":12345678901234567890}' },
    ]);
    const conflict = await put('--load', '0.9', '--if-version', '0');
    assert.equal(conflict.code, 3);
    assert.match(conflict.stdout, /^theirs: .*"load":0\.3/m);
    assert.match(conflict.stdout, /^yours: {2}.*"load":0\.9/m);
    assert.match(conflict.stderr, /it had version 0, it has version 1 now; nothing was written/);
    const written = await put('--load', '0.9', '--json');
    assert.equal(written.code, 0, written.stderr);
    const { data, version } = JSON.parse(written.stdout) as { data: string; version: number };
    assert.equal(data, '{"service_address":"10.0.0.1:80","load":0.9,"id":12345678901234567890}');
    assert.equal(version, 2);
    const got = await weir(['channel', 'get', 'news', 'a', '--json'], '', {}, '/put');
    assert.equal((JSON.parse(got.stdout) as { data: string }).data, data);
  });

  test('channel rm removes what is named, nothing below it, and no ephemeral node', async () => {
    const rm = (...words: string[]) => weir(['channel', 'rm', 'news', ...words], '', {}, '/rm');
    await writeNodes(
      zookeeper.address,
      ['', '/rm', '/rm/news', '/rm/news/a'].map((below) => ({ path: root + below, data: '' })),
    );
    const full = await rm();
    assert.equal(full.code, 1);
    assert.match(full.stderr, /news: 1 below it, such as a/);
    const changed = await rm('a', '--if-version', '5');
    assert.equal(changed.code, 3);
    assert.deepEqual(await rm('a'), { code: 0, stdout: `removed ${root}/rm/news/a\n`, stderr: '' });
    assert.equal((await rm('a')).code, 1);
  });

  test('with credentials, what channel put makes is theirs, and everybody may read it', async () => {
    const env = { WEIR_REGISTRY_ZOOKEEPER_CREDENTIALS: 'edge:secret' };
    const words = ['channel', 'put', 'news', 'a', '--address', '10.0.0.1:80'];
    const made = await weir(words, '', env, '/own/channels');
    assert.equal(made.code, 0, made.stderr);
    const stranger = await weir(['channel', 'put', 'news', 'b', '--address', '10.0.0.2:80'], '', {}, '/own/channels');
    assert.equal(stranger.code, 1);
    assert.match(stranger.stderr, /not authorized, see registry\.zookeeper\.credentials/);
    const acls = await zkCli(
      zookeeper.address,
      ...['', '/news', '/news/a'].map((at) => `getAcl ${root}/own/channels${at}`),
    );
    assert.equal(acls.match(/'digest,'edge:.*\n: cdrwa\n'world,'anyone\n: r\n/g)?.length, 3, acls);
  });

  test('a drained server stays drained over the reports of weir register, and undrain takes it back', async (t) => {
    const settings = ['--zookeeper', zookeeper.address, '--set', `registry.zookeeper.root=${root}/drain`];
    const words = ['register', '--channel', 'news', '--address', '10.0.0.1:80', '--load', '0.1', ...settings];
    const origin = spawnWeir(words);
    t.after(async () => {
      if (origin.exitCode !== null) return;
      const closed = once(origin, 'close');
      origin.kill('SIGTERM');
      await closed;
    });
    await once(origin.stdout as NodeJS.ReadableStream, 'data');
    const drain = (name: string, target: string) => weir([name, target, '--json'], '', {}, '/drain');
    const drained = await drain('drain', '10.0.0.1:80');
    assert.equal(drained.code, 0, drained.stderr);
    const { path, result } = JSON.parse(drained.stdout) as { path: string; result: string };
    assert.equal(result, 'written');
    origin.stdin?.write('{"load":0.9}\n');
    const line = async () =>
      JSON.parse((await weir(['channels', '--json'], '', {}, '/drain')).stdout) as { load: number; draining?: boolean };
    await waitFor(async () => (await line()).load === 0.9, { deadline: 60_000 });
    assert.equal((await line()).draining, true);
    assert.equal((await drain('undrain', path)).code, 0);
    assert.equal((await line()).draining, false);
    const unknown = await drain('drain', '10.0.0.9:80');
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /10\.0\.0\.9:80: no endpoint like this in zookeeper/);
  });

  test('what is written stands in a tree that is followed, or is not written', async () => {
    const [one, other] = [`${root}/svc/{channel}/providers/{endpoint}`, `${root}/other/{channel}/{endpoint}`];
    const within = (words: string[], ...trees: string[]) =>
      weir([...words, '--json'], '', { WEIR_REGISTRY_ZOOKEEPER_TREES: trees.join(',') });
    const put = await within(['channel', 'put', 'news', 'a', '--address', '10.0.0.1:80'], one);
    assert.equal(put.code, 0, put.stderr);
    const path = `${root}/svc/news/providers/a`;
    assert.equal((JSON.parse(put.stdout) as { path: string }).path, path);
    const [unclear, registered, drained] = await Promise.all([
      within(['register', '--channel', 'news', '--address', '10.0.0.2:80', '--exit-on-eof'], one, other),
      within(['register', '--channel', 'x', '--address', '10.0.0.2:80', '--exit-on-eof', '--tree', other], one, other),
      within(['drain', 'news/a'], one, other),
    ]);
    assert.equal(unclear.code, 1);
    assert.match(unclear.stderr, /several trees that can be written to, say which by --tree: /);
    assert.match(registered.stdout, new RegExp(`"path":"${root}/other/x/endpoint-`));
    assert.deepEqual(JSON.parse(drained.stdout), { path, result: 'written', status: 'draining' }, drained.stderr);
  });
});

test('the doctor says what is wrong and what to do, and its exit code that something is', async () => {
  const doctor = (env: Record<string, string> = {}) =>
    weir(['zookeeper', 'doctor', '--write', '--json'], '', {
      WEIR_REGISTRY_ZOOKEEPER_CREDENTIALS: 'edge:secret',
      ...env,
    });
  const findings = (stdout: string) =>
    (JSON.parse(stdout) as { findings: { check: string; state: string; found: string }[] }).findings
      .filter(({ state }) => state === 'bad')
      .map(({ check, found }) => `${check}: ${found}`);
  await weir(
    ['channel', 'put', 'news', 'a', '--address', '10.0.0.1:80'],
    '',
    { WEIR_REGISTRY_ZOOKEEPER_CREDENTIALS: 'edge:secret' },
    '/well',
  );
  const well = await doctor({ WEIR_REGISTRY_ZOOKEEPER_ROOT: `${root}/well` });
  assert.deepEqual([well.code, findings(well.stdout)], [0, []], well.stdout);
  await writeNodes(
    zookeeper.address,
    ['', '/ill', '/ill/news', '/ill/news/a'].map((at) => ({ path: root + at, data: at === '' ? '' : '{' })),
  );
  const ill = await doctor({ WEIR_REGISTRY_ZOOKEEPER_ROOT: `${root}/ill` });
  assert.equal(ill.code, 1);
  assert.deepEqual(findings(ill.stdout), [
    `rights: everybody may add and remove below ${root}/ill, though there are credentials`,
    `nodes: bad_json: 2, such as ${root}/ill/news, ${root}/ill/news/a`,
  ]);
});

test('a lease of the embedded registry is drained through its edge', async () => {
  const edge = await serveWeir('--registry', 'embedded', '--set', 'workers=0');
  try {
    const lease = `${edge.admin}/api/v1/channels/news/endpoints/a`;
    const body = JSON.stringify({ service_address: '127.0.0.1:9', ttl: 120 });
    await fetch(lease, { method: 'PUT', body, headers: { 'content-type': 'application/json' } });
    for (const [name, target, status] of [
      ['drain', '127.0.0.1:9', 'draining'],
      ['undrain', 'news/a', 'live'],
    ] as const) {
      const { code, stdout, stderr } = await runWeir([name, target, '--admin', edge.admin]);
      assert.equal(code, 0, stderr);
      assert.equal(stdout, `${status}  /channels/news/a\n`);
      const listed = await runWeir(['channels', '--json', '--admin', edge.admin]);
      assert.equal((JSON.parse(listed.stdout) as { draining?: boolean }).draining === true, status === 'draining');
    }
    const none = await runWeir(['drain', 'news/b', '--admin', edge.admin]);
    assert.equal(none.code, 1);
    assert.match(none.stderr, /answered 404: No such endpoint is registered/);
  } finally {
    await edge.stop();
  }
});
