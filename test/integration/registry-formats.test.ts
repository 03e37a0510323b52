// Registrations that others write into a real ZooKeeper, read through the real registry: kazoo, ZooKeeper's own shell, and
// Curator's library. None of it is written by weir.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Endpoint } from '../../src/model.js';
import { type NodeToWrite, registerWithCurator, writeWithKazoo } from '../support/other-writers.js';
import { type Sample, samples, textOf } from '../support/registrations.js';
import { live, runRegistry } from '../support/running-registry.js';
import { waitFor } from '../support/wait.js';
import { runWeir } from '../support/weir.js';
import { useZooKeeper, zkCli } from '../support/zookeeper.js';

let server: Awaited<ReturnType<typeof useZooKeeper>>;
before(async () => {
  server = await useZooKeeper();
});
after(() => server.stop());

/** What an endpoint says, without what the registry adds. */
function said({ id: _id, channel: _channel, version: _version, ...more }: Endpoint): object {
  return Object.fromEntries(Object.entries(more).filter(([, value]) => value !== undefined));
}

const member = (host: string, shard: number) =>
  JSON.stringify({ serviceEndpoint: { host, port: 80 }, additionalEndpoints: {}, status: 'ALIVE', shard });

describe('beside weir', { concurrency: true }, () => {
  test('every format that kazoo, zkCli.sh and Curator write is read, and goes with their sessions', async (t) => {
    const root = `/weir-formats-${process.pid}`;
    const pathOf = (channel: string, { name }: Sample) => `${root}/${channel}${name === undefined ? '' : `/${name}`}`;
    const byKazoo: NodeToWrite[] = samples.map((sample, at) => ({
      path: pathOf(`kazoo-${at}`, sample),
      data: textOf(sample),
      ephemeral: true,
    }));
    const vector = '{"vector":[{"select":"shard=1","weight":3.0,"priority":1},{"select":"inet=a:80","weight":0.5}]}';
    const set = [
      ['member_0000000000', member('a', 0)],
      ['member_0000000001', member('b', 1)],
      ['vector_0000000002', vector],
    ] as const;
    for (const [name, data] of set) byKazoo.push({ path: `${root}/set/${name}`, data, ephemeral: true });
    // The shell splits its lines at white space.
    const byShell = samples.filter((sample) => !/\s/.test(textOf(sample)));
    const commands = byShell.flatMap((sample, at) => {
      const channel = `create ${root}/shell-${at}`;
      if (sample.name === undefined) return [`${channel} ${textOf(sample)}`];
      return [channel, `create ${root}/shell-${at}/${sample.name} ${textOf(sample)}`];
    });
    const [kazoo, curator] = await Promise.all([
      writeWithKazoo(server.address, byKazoo),
      registerWithCurator(server.address, root, 'curator'),
    ]);
    t.after(() => Promise.all([kazoo.stop(), curator.stop()]));
    const shell = zkCli(server.address, ...commands);
    const running = runRegistry(t, { servers: server.address, root });
    await live(running);
    await shell;

    const expected = new Map<string, readonly object[]>();
    for (const [at, { endpoints }] of samples.entries()) expected.set(`kazoo-${at}`, endpoints);
    for (const [at, { endpoints }] of byShell.entries()) expected.set(`shell-${at}`, endpoints);
    expected.set('set', [
      { address: 'a:80', weight: 0.5 },
      { address: 'b:80', weight: 3 },
    ]);
    expected.set('curator', [{ address: 'http://10.0.0.9:8080', load: 0.25, bitrate: 2400, zone: 'north' }]);
    const count = [...expected.values()].reduce((sum, { length }) => sum + length, 0);
    await waitFor(() => running.sink.endpoints.size >= count, { deadline: 60_000, what: `${count} endpoints` });
    for (const [channel, endpoints] of expected) {
      assert.deepEqual(running.sink.of(channel).map(said), endpoints, channel);
    }
    assert.equal(running.sink.endpoints.size, count);
    const ineligible = [...samples, ...byShell].reduce((sum, sample) => sum + (sample.ineligible ?? 0), 0);
    const census = () => running.sink.notes.findLast((note) => note.kind === 'census');
    await waitFor(() => census()?.skipped['not_eligible'] === ineligible, { what: 'the census' });
    assert.deepEqual(census()?.unknown, {});

    await Promise.all([kazoo.stop(), curator.stop()]);
    const others = byShell.reduce((sum, { endpoints }) => sum + endpoints.length, 0);
    await waitFor(() => running.sink.endpoints.size === others, { deadline: 60_000, what: 'only what has no session' });
  });

  test('weir channels --explain says of a node how it is read, and its exit code whether it is used', async (t) => {
    const root = `/weir-explain-${process.pid}`;
    const node = (path: string, data: string): NodeToWrite => ({ path: `${root}${path}`, data, ephemeral: false });
    const kazoo = await writeWithKazoo(server.address, [
      node('/news', '{"zone":"north"}'),
      node('/news/a', '{"service_address":"10.0.0.1:80","load":75}'),
      node('/news/b', 'hello'),
      node('/off', '{"status":"off"}'),
      node('/off/10.0.0.1:80', ''),
    ]);
    t.after(() => kazoo.stop());
    const explain = (path: string, ...more: string[]) =>
      runWeir([
        'channels',
        '--zookeeper',
        server.address,
        '--set',
        `registry.zookeeper.root=${root}`,
        '--explain',
        path,
        ...more,
      ]);
    const [news, b, off, json, missing, outside, over] = await Promise.all([
      explain(`${root}/news`),
      explain(`${root}/news/b`),
      explain(`${root}/off/10.0.0.1:80`),
      explain(`${root}/news/a`, '--json'),
      explain(`${root}/gone`),
      explain('/zookeeper/quota'),
      explain(`${root}/news/b`, '--set', 'registry.maxEndpointsPerChannel=1'),
    ]);
    assert.equal(news.code, 0, news.stderr);
    assert.match(news.stdout, /says what its endpoints do not say themselves/);
    assert.match(
      news.stdout,
      /2 below it:\n {2}a {2}weir {2}10\.0\.0\.1:80 {2}unknown: load\n {2}b {2}- {2}is skipped/,
    );
    assert.deepEqual([b.code, off.code, missing.code, outside.code], [3, 3, 1, 3]);
    assert.match(b.stdout, /is skipped: no format that this tree allows accepts it \(unknown_format\)/);
    assert.equal(over.code, 3);
    assert.match(over.stdout, /\(too_many\)\n(.|\n)*2 nodes, and registry\.maxEndpointsPerChannel allows 1/);
    assert.match(off.stdout, /is not used: (.|\n)*not used {2}10\.0\.0\.1:80/);
    assert.match(missing.stderr, /no such node/);
    assert.match(outside.stderr, /in none of the trees that are followed/);
    const { format, endpoints, unknown, said_by } = JSON.parse(json.stdout);
    assert.deepEqual([json.code, format, endpoints[0].zone, said_by], [0, 'weir', 'north', [`${root}/news`]]);
    assert.deepEqual(unknown, [{ field: 'load', reason: 'above_one' }]);
  });
});
