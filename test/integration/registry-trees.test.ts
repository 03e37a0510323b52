// Trees of every shape on a real ZooKeeper, written to by its own shell.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { live, type RunningRegistry, runRegistry } from '../support/running-registry.js';
import { waitFor } from '../support/wait.js';
import { startZooKeeper, writeNodes, type ZooKeeperServer, zkCli } from '../support/zookeeper.js';

let server: ZooKeeperServer;
before(async () => {
  server = await startZooKeeper();
});
after(() => server.stop());

const found = ({ sink }: RunningRegistry) =>
  [...sink.endpoints.values()].map(({ channel, address }) => `${channel} ${address}`).sort();

test('every shape of a tree is read and followed, from the root of ZooKeeper on as well', async (t) => {
  const paths = [
    '/go',
    '/go/10.0.0.1:80',
    '/video',
    '/video/news',
    '/video/news/a',
    '/methods',
    '/methods/x',
    '/dubbo',
  ];
  const provider = `dubbo%3A%2F%2F10.0.0.1%3A20880%2Fcom.x.Live%3Fweight%3D100`;
  await writeNodes(server.address, [
    ...paths.map((path) => ({ path, data: path === '/video/news/a' ? '10.0.0.2:80' : '' })),
    { path: '/methods/x/sport', data: '10.0.0.3:80' },
    // Curator leaves the address of whoever made a folder in it.
    { path: '/dubbo/com.x.Live', data: '10.9.9.9' },
    { path: '/dubbo/com.x.Live/providers', data: '10.9.9.9:1' },
    { path: `/dubbo/com.x.Live/providers/${provider}`, data: '' },
    { path: '/dubbo/com.x.Idle', data: '' },
  ]);
  const servers = server.address;
  const all = runRegistry(t, {
    servers,
    trees: [
      { path: '/go/{endpoint}', channel: 'news', formats: ['name'] },
      '/video/{channel}/{endpoint}',
      '/methods/{service}/{channel}',
      { path: '/dubbo/{channel}/providers/{endpoint}', formats: ['dubbo'] },
    ],
  });
  // The same nodes, from other bases.
  const wide = runRegistry(t, { servers, trees: ['/{service}/{channel}/{endpoint}'] });
  const inside = [
    runRegistry(t, { servers: `${servers}/video`, trees: ['/{channel}/{endpoint}'] }),
    runRegistry(t, { servers: `${servers}/methods/x`, trees: ['/{channel}'] }),
    runRegistry(t, { servers: `${servers}/go`, trees: [{ path: '/{endpoint}', channel: 'one' }] }),
  ];
  await Promise.all([all, wide, ...inside].map((each) => live(each)));
  const dubbo = 'com.x.Live http://10.0.0.1:20880';
  const before = found(all).map((line) => (line.startsWith('com.x.Live') ? dubbo : line));
  assert.deepEqual(before, [dubbo, 'news 10.0.0.1:80', 'news 10.0.0.2:80', 'sport 10.0.0.3:80']);
  assert.deepEqual(wide.sink.addresses('news'), ['10.0.0.2:80']);
  assert.deepEqual(
    [...wide.sink.endpoints.keys()].filter((id) => id.startsWith('/zookeeper')),
    [],
  );
  assert.deepEqual(inside.map(found), [['news 10.0.0.2:80'], ['sport 10.0.0.3:80'], ['one 10.0.0.1:80']]);
  assert.deepEqual(
    all.sink.notes.filter(({ kind }) => kind === 'skipped' || kind === 'missing'),
    [],
    'what stands in folders is nobody’s',
  );

  await zkCli(
    servers,
    'create /go/10.0.0.4:80',
    'create /video/films',
    'create /video/films/a 10.0.0.5:80',
    'create /methods/y',
    'create /methods/y/sport 10.0.0.6:80',
    'create /dubbo/com.x.Idle/providers',
    `create /dubbo/com.x.Idle/providers/${provider}`,
    'delete /methods/x/sport',
    'deleteall /dubbo/com.x.Live/providers',
  );
  await waitFor(() => all.sink.addresses('com.x.Idle').length === 1 && all.sink.endpoints.size === 6, {
    what: 'the changes',
  });
  assert.deepEqual(all.sink.addresses('news'), ['10.0.0.1:80', '10.0.0.2:80', '10.0.0.4:80']);
  assert.deepEqual(all.sink.addresses('sport'), ['10.0.0.6:80']);
  assert.deepEqual(all.sink.addresses('films'), ['10.0.0.5:80']);
  await waitFor(() => wide.sink.addresses('films').length === 1);
  await waitFor(() => inside[2]?.sink.endpoints.size === 2);
});

test('endpoints of several channels share the report of their server, below a chroot as well', async (t) => {
  const named = (id: number) => `{"service_address":"10.0.1.${id}:80","load":0.1,"report":"/servers/a"}`;
  await writeNodes(server.address, [
    ...['/shared', '/shared/servers', '/shared/tv', '/shared/tv/one', '/shared/tv/two'].map((path) => ({
      path,
      data: '',
    })),
    { path: '/shared/servers/a', data: '{"load":0.25}' },
    { path: '/shared/tv/one/a', data: named(1) },
    { path: '/shared/tv/two/a', data: named(2) },
  ]);
  const registry = runRegistry(t, { servers: `${server.address}/shared`, trees: ['/tv/{channel}/{endpoint}'] });
  const loads = () => [...registry.sink.of('one'), ...registry.sink.of('two')].map(({ load }) => load);
  await live(registry);
  assert.deepEqual(loads(), [0.25, 0.25]);
  const write = (data: string) => writeNodes(server.address, [{ path: '/shared/servers/a', data }]);
  for (const load of [0.5, 0.75]) {
    await write(`{"load":${load}}`);
    await waitFor(() => loads().every((each) => each === load), { what: `a load of ${load}` });
  }
});
