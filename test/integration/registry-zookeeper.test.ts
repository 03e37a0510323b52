// What the registry makes of a real ZooKeeper's tree, written to by others.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { pino } from 'pino';
import type { RegistryNote } from '../../src/registry/registry.js';
import { live, type RunningRegistry, runRegistry, stale } from '../support/running-registry.js';
import { waitFor } from '../support/wait.js';
import { openZkCli, startZooKeeper, useZooKeeper, writeNodes, zkCli } from '../support/zookeeper.js';
import type { Write } from '../support/zookeeper-writer.js';

let server: Awaited<ReturnType<typeof useZooKeeper>>;
before(async () => {
  server = await useZooKeeper();
});
after(() => server.stop());

let roots = 0;
/** Every test has a root of its own. */
const newRoot = () => `/weir-test-${process.pid}-${++roots}`;

const info = (port: number, load: number) => `{"service_address":"http://127.0.0.1:${port}/live","load":${load}}`;
const skipped = ({ sink }: RunningRegistry) =>
  sink.notes.filter((note): note is Extract<RegistryNote, { kind: 'skipped' }> => note.kind === 'skipped');

test('what zkCli.sh writes is seen: a channel appears, its load changes, it is deleted', async (t) => {
  const root = newRoot();
  const running = runRegistry(t, { servers: server.address, root });
  await live(running);
  assert.deepEqual(running.sink.sequence, ['replace', 'live'], 'a missing root is an empty one on a first start');
  await zkCli(server.address, `create ${root}`, `create ${root}/news`, `create ${root}/news/a ${info(8001, 0.5)}`);
  await waitFor(() => running.sink.of('news')[0]?.load === 0.5);
  await zkCli(server.address, `set ${root}/news/a ${info(8001, 0.25)}`);
  await waitFor(() => running.sink.of('news')[0]?.load === 0.25);
  await zkCli(server.address, `delete ${root}/news/a`);
  await waitFor(() => running.sink.of('news').length === 0);
  await zkCli(
    server.address,
    `deleteall ${root}`,
    `create ${root}`,
    `create ${root}/sport`,
    `create ${root}/sport/b b:1`,
  );
  // A picture is told before it is said to be live.
  const again = () => running.sink.state === 'live' && running.sink.of('sport').length === 1;
  await waitFor(again, { what: 'the root that was made again' });
});

test('an ephemeral node is gone with the session that made it, closed or killed', async (t) => {
  const root = newRoot();
  await zkCli(server.address, `create ${root}`, `create ${root}/news`);
  const running = runRegistry(t, { servers: server.address, root });
  await live(running);
  for (const end of ['close', 'kill'] as const) {
    const shell = openZkCli(server.address);
    t.after(() => shell.kill());
    shell.run(`create -e -s ${root}/news/origin ${info(8001, 0.5)}`);
    await waitFor(() => running.sink.of('news').length === 1, { what: 'the endpoint' });
    await shell[end]();
    await waitFor(() => running.sink.of('news').length === 0, { deadline: 60_000, what: `its end after ${end}` });
  }
});

test('every layout is read: own data, children, metadata, plain, name only, per method', async (t) => {
  const root = newRoot();
  await writeNodes(server.address, [
    { path: root, data: '' },
    { path: `${root}/own`, data: info(1, 0.1) },
    { path: `${root}/children`, data: '{"bitrate":2500}' },
    { path: `${root}/children/origin0000000001`, data: info(2, 0.2) },
    { path: `${root}/children/origin0000000002`, data: '{"ip":"127.0.0.1","port":"3","id":"a"}' },
    { path: `${root}/children/origin0000000003`, data: '127.0.0.1:4' },
    { path: `${root}/children/127.0.0.1:5`, data: '' },
    { path: `${root}/Method`, data: '127.0.0.1:6000' },
  ]);
  const running = runRegistry(t, { servers: server.address, root });
  await live(running);
  assert.deepEqual(running.sink.addresses('own'), ['http://127.0.0.1:1/live']);
  assert.deepEqual(running.sink.addresses('Method'), ['127.0.0.1:6000']);
  assert.deepEqual(
    running.sink.of('children').map(({ address, load, bitrate }) => [address, load, bitrate]),
    [
      ['127.0.0.1:3', undefined, 2500],
      ['127.0.0.1:4', undefined, 2500],
      ['127.0.0.1:5', undefined, 2500],
      ['http://127.0.0.1:2/live', 0.2, 2500],
    ],
  );
  assert.deepEqual(skipped(running), []);
});

test('hostile contents crash nothing, and good channels keep working beside them', async (t) => {
  const root = newRoot();
  const hostile: Write[] = [
    { path: `${root}/huge`, data: Buffer.alloc(1_000_000, 0x7b) },
    { path: `${root}/deep`, data: '' },
    { path: `${root}/deep/array`, data: `{"service_address":"o:80","x":${'['.repeat(30_000)}${']'.repeat(30_000)}}` },
    { path: `${root}/deep/open`, data: '['.repeat(60_000) },
    { path: `${root}/bad\\name`, data: 'o:80' },
    { path: `${root}/${'n'.repeat(256)}`, data: 'o:80' },
    { path: `${root}/addresses`, data: '' },
    ...['file:///etc/passwd', 'http://u:p@o/', 'o:0', '127.1:80', 'o:80\r\nX: y', 'http://o/#', '\0', '新:80'].map(
      (data, i) => ({ path: `${root}/addresses/a${i}`, data }),
    ),
    { path: `${root}/random`, data: randomBytes(100) },
    ...Array.from({ length: 300 }, (_, i) => ({
      path: `${root}/random/r${i}`,
      // The first byte is no text: whatever follows can never be an address.
      data: Buffer.concat([Buffer.from([0xff]), randomBytes(i * 11)]),
    })),
    { path: `${root}/many`, data: '' },
    ...Array.from({ length: 3_000 }, (_, i) => ({ path: `${root}/many/m${i}`, data: `127.0.0.1:${i + 1}` })),
    { path: `${root}/long`, data: '' },
    { path: `${root}/long/${'l'.repeat(10_000)}`, data: 'o:80' },
  ];
  await writeNodes(server.address, [
    { path: root, data: '' },
    { path: `${root}/good`, data: '' },
    { path: `${root}/good/a`, data: info(1, 0.5) },
    ...hostile,
  ]);
  const running = runRegistry(t, { servers: server.address, root });
  await live(running);
  const channels = new Set([...running.sink.endpoints.values()].map(({ channel }) => String(channel)));
  assert.deepEqual([...channels].sort(), ['deep', 'good', 'many']);
  assert.equal(running.sink.of('many').length, 1_000);
  const reasons = new Set(skipped(running).map(({ reason }) => reason));
  assert.deepEqual([...reasons].sort(), [
    'bad_channel_name',
    'bad_name',
    'not_utf8',
    'too_large',
    'too_many',
    'unknown_format',
  ]);

  // The same again as changes, while a good channel changes too.
  await writeNodes(server.address, [
    ...hostile.map(({ path }) => ({ path, data: Buffer.concat([Buffer.from([0xff]), randomBytes(50)]) })),
    { path: `${root}/good/a`, data: info(1, 0.75) },
    { path: `${root}/good/huge`, data: randomBytes(1_000_000) },
    { path: `${root}/good/b`, data: info(2, 0.25) },
  ]);
  // Changes are read side by side: the last one written need not be the last one seen.
  await waitFor(() => running.sink.endpoints.size === 2 && running.sink.of('good')[0]?.load === 0.75, {
    deadline: 60_000,
    what: 'the changes',
  });
  assert.deepEqual(
    running.sink.of('good').map(({ load }) => load),
    [0.75, 0.25],
  );
  assert.ok(!running.sink.notes.some((note) => note.kind === 'session' && note.state !== 'connected'), 'one session');
});

test('a channel with tens of thousands of registrations, and an address in thousands of channels, hold up nobody', async (t) => {
  const root = newRoot();
  const crowd = Array.from({ length: 30_000 }, (_, i) => ({ path: `${root}/crowd/%2F${i}`, data: 'nonsense' }));
  const everywhere = Array.from({ length: 3_000 }, (_, i) => ({ path: `${root}/c${i}`, data: '127.0.0.1:9' }));
  await writeNodes(server.address, [
    { path: root, data: '' },
    { path: `${root}/good`, data: '' },
    { path: `${root}/good/a`, data: info(1, 0.5) },
    ...everywhere,
    { path: `${root}/crowd`, data: '' },
    ...crowd,
  ]);
  const running = runRegistry(t, { servers: server.address, root });
  await live(running);
  assert.equal(running.sink.endpoints.size, 3_001);
  assert.ok(skipped(running).length <= 1_001, `${skipped(running).length} notes`);
  const census = () => running.sink.notes.filter((note) => note.kind === 'census').at(-1);
  await waitFor(() => census() !== undefined);
  assert.deepEqual(census(), {
    kind: 'census',
    skipped: { too_many: 29_000, unknown_format: 1_000 },
    unknown: {},
  });
  // Every one of them reports, and somebody well does.
  const reports = writeNodes(server.address, crowd);
  await waitFor(() => running.sink.notes.filter(({ kind }) => kind === 'event').length > 100);
  await writeNodes(server.address, [{ path: `${root}/good/a`, data: info(1, 0.75) }]);
  await waitFor(() => running.sink.of('good')[0]?.load === 0.75, { what: 'the report of the good one' });
  await reports;
  assert.ok(skipped(running).length <= 1_001, 'nothing is noted again');
});

test('a value that means nothing is unknown and noted once, and the endpoint stays', async (t) => {
  const root = newRoot();
  await writeNodes(server.address, [
    { path: root, data: '' },
    { path: `${root}/news`, data: '' },
    { path: `${root}/news/a`, data: '{"service_address":"o:80","load":75,"packet_loss_rate":"0.1"}' },
  ]);
  const running = runRegistry(t, { servers: server.address, root, reconcileInterval: '200ms' });
  await live(running);
  assert.deepEqual(
    running.sink.of('news').map(({ load, packetLoss }) => [load, packetLoss]),
    [[undefined, undefined]],
  );
  await zkCli(server.address, `create ${root}/news/b o:81`);
  await waitFor(() => running.sink.of('news').length === 2);
  assert.deepEqual(
    running.sink.notes.filter(({ kind }) => kind === 'unknown_value'),
    [
      { kind: 'unknown_value', field: 'load', reason: 'above_one', path: `${root}/news/a` },
      { kind: 'unknown_value', field: 'packet_loss_rate', reason: 'not_a_number', path: `${root}/news/a` },
    ],
  );
});

test('below a chroot only its tree is seen', async (t) => {
  const root = newRoot();
  await writeNodes(server.address, [
    { path: root, data: '' },
    { path: `${root}/channels`, data: '' },
    { path: `${root}/channels/inside`, data: 'o:80' },
  ]);
  const running = runRegistry(t, { servers: `${server.address}${root}` });
  await live(running);
  assert.deepEqual(running.sink.addresses('inside'), ['o:80']);
  assert.equal(running.sink.endpoints.size, 1);
  await zkCli(server.address, `create ${root}/channels/second o:81`);
  await waitFor(() => running.sink.addresses('second').length === 1);
});

test('digest credentials open a protected tree, and never show', async (t) => {
  const root = newRoot();
  await zkCli(
    server.address,
    'addauth digest reader:hunter2-secret',
    `create ${root}`,
    `create ${root}/news`,
    `create ${root}/news/a o:80`,
    ...[`${root}/news/a`, `${root}/news`, root].map((path) => `setAcl ${path} auth::cdrwa`),
  );
  let log = '';
  const logger = pino({ level: 'trace' }, { write: (line: string) => (log += line) });
  const running = runRegistry(t, { servers: server.address, root, credentials: 'reader:hunter2-secret' }, logger);
  await live(running);
  assert.deepEqual(running.sink.addresses('news'), ['o:80']);
  for (const what of ['cmdline', 'environ']) {
    assert.ok(!readFileSync(`/proc/${running.pid()}/${what}`, 'utf8').includes('hunter2'), what);
  }

  const other = runRegistry(t, { servers: server.address, root, credentials: 'reader:wrong-secret' }, logger);
  await waitFor(() => skipped(other).some(({ reason, path }) => reason === 'no_auth' && path === root));
  assert.deepEqual(other.sink.told, []);
  await zkCli(
    server.address,
    'addauth digest reader:hunter2-secret',
    ...[root, `${root}/news`].map((path) => `setAcl ${path} world:anyone:cdrwa`),
  );
  await live(other);
  assert.equal(other.sink.endpoints.size, 0);
  assert.deepEqual(skipped(other).at(-1), { kind: 'skipped', reason: 'no_auth', path: `${root}/news/a` });
  assert.ok(!log.includes('secret'), log);
});

test('more watched paths than one packet holds are spread over sessions, which all survive a lost connection', async (t) => {
  const own = await startZooKeeper();
  t.after(() => own.stop());
  const root = '/channels';
  const writes: Write[] = [{ path: root, data: '' }];
  for (let channel = 0; channel < 20; channel++) {
    writes.push({ path: `${root}/c${channel}`, data: '' });
    for (let child = 0; child < 220; child++) {
      const name = `${child}-${'n'.repeat(240)}`;
      writes.push({ path: `${root}/c${channel}/${name}`, data: `127.0.0.1:${child + 1}` });
    }
  }
  await writeNodes(own.address, writes);
  const running = runRegistry(t, { servers: own.address });
  await live(running);
  const watched = running.sink.notes.filter((note) => note.kind === 'watched').at(-1);
  assert.ok(watched?.kind === 'watched' && !watched.alarm && watched.sessions > 1, JSON.stringify(watched));
  await own.kill();
  await stale(running);
  await own.restart();
  await live(running);
  assert.equal(running.sink.endpoints.size, 4_400);
  const states = running.sink.notes.flatMap((note) => (note.kind === 'session' ? [note.state] : []));
  assert.ok(!states.includes('expired'), states.join(' '));
  const address = '127.0.0.1:7777';
  await writeNodes(own.address, [{ path: `${root}/c0/new`, data: address }]);
  await waitFor(() => running.sink.addresses('c0').includes(address));
});
