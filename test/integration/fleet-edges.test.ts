// Edges that know each other over a real ZooKeeper: the list, the number that each counts, and one that is taken out of service.

import assert from 'node:assert/strict';
import { Agent, get, type IncomingMessage } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { FlvViewer } from '../support/flv-viewer.js';
import { type OriginProcess, spawnOrigin } from '../support/origin-process.js';
import { waitFor } from '../support/wait.js';
import { runWeir, serveWeir, type WeirProcess } from '../support/weir.js';
import { startZooKeeper, writeNodes, type ZooKeeperServer } from '../support/zookeeper.js';

interface Edge {
  readonly name: string;
  readonly run: string;
  readonly status: string;
  readonly workers: number;
}

let zookeeper: ZooKeeperServer;
let origin: OriginProcess;
let one: WeirProcess;
let two: WeirProcess;

const edge = (name: string, workers: number, ...more: string[]) =>
  serveWeir(
    ...['--zookeeper', zookeeper.address, '--set', `fleet.name=${name}`, '--set', `workers=${workers}`],
    ...['--set', 'registry.zookeeper.sessionTimeout=2s', ...more],
  );
const weir = (...parameters: string[]) => runWeir([...parameters, '--zookeeper', zookeeper.address]);
const fleet = async ({ admin }: WeirProcess) => {
  return (await (await fetch(`${admin}/api/v1/fleet`)).json()) as { self: Edge; edges: Edge[] };
};
const statusOf = async (name: string) => (await fleet(two)).edges.find((each) => each.name === name)?.status;
const metric = async ({ admin }: WeirProcess, name: string) => {
  const text = await (await fetch(`${admin}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
};
const readiness = async ({ admin }: WeirProcess) => (await fetch(`${admin}/readyz`)).status;

before(async () => {
  [zookeeper, origin] = await Promise.all([startZooKeeper(), spawnOrigin('a', 'news')]);
  await writeNodes(zookeeper.address, [
    { path: '/channels', data: '' },
    { path: '/channels/news', data: '' },
    { path: '/channels/news/a', data: origin.address },
  ]);
  [one, two] = await Promise.all([edge('one', 1), edge('two', 0)]);
});
after(async () => {
  await Promise.all([one?.stop(), two?.stop()]);
  await origin.kill();
  await zookeeper.stop();
});

/** A playlist over a connection that is kept, as players do. */
function playlist({ players }: WeirProcess, agent: Agent): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = get(`${players}/live/news.m3u8`, { agent }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer));
    });
    request.on('error', reject);
  });
}

describe('two edges of a fleet', () => {
  test('list each other, and count as many as there are', async () => {
    await waitFor(async () => (await metric(one, 'weir_fleet_edges_counted')) === 2, { what: 'one to count two' });
    await waitFor(async () => (await metric(two, 'weir_fleet_edges_counted')) === 2, { what: 'two to count two' });
    const { self, edges } = await fleet(one);
    assert.equal(self.name, 'one');
    assert.deepEqual(
      edges.map(({ name, status, workers }) => [name, status, workers]),
      [
        ['one', 'serving', 1],
        ['two', 'serving', 0],
      ],
    );
    const [plain, json] = await Promise.all([weir('fleet'), weir('fleet', '--json')]);
    assert.match(plain.stdout, /^SITE +EDGE .*\ndefault +one +serving .*\ndefault +two +serving /);
    assert.deepEqual(
      json.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).name),
      ['one', 'two'],
    );
  });

  test('one out of service is still serving, moves its players away, and comes back', async (t) => {
    const agents = [new Agent({ keepAlive: true }), new Agent({ keepAlive: true })] as const;
    t.after(() => {
      for (const agent of agents) agent.destroy();
    });
    const viewer = FlvViewer.open(`${one.players}/live/news.flv`);
    const other = FlvViewer.open(`${two.players}/live/news.flv`);
    t.after(() => {
      viewer.leave();
      other.leave();
    });
    await waitFor(() => viewer.media.length > 10 && other.media.length > 10, { what: 'media' });
    await waitFor(async () => (await playlist(one, agents[0])).statusCode === 200, { what: 'a playlist' });
    assert.equal((await playlist(one, agents[0])).headers.connection, 'keep-alive');
    const { code, stdout } = await weir('drain', '--edge', 'one', '--grace', '2');
    assert.deepEqual([code, stdout], [0, 'draining  default one\n']);
    const at = viewer.media.length;
    await waitFor(async () => (await readiness(one)) === 503, { what: 'one not to be ready' });
    const answer = await playlist(one, agents[0]);
    assert.deepEqual([answer.statusCode, answer.headers.connection], [200, 'close']);
    await waitFor(async () => (await statusOf('one')) === 'draining', { what: 'the list' });
    await waitFor(() => viewer.ended, { what: 'the end of the FLV stream' });
    assert.ok(viewer.media.length > at, 'it went on until its time was over');
    assert.equal(viewer.error, undefined);
    assert.equal(await readiness(two), 200);
    assert.equal((await playlist(two, agents[1])).headers.connection, 'keep-alive');
    assert.equal(other.ended, false);
    const back = await weir('undrain', '--edge', 'one', '--json');
    assert.equal(back.code, 0);
    assert.equal(JSON.parse(back.stdout).status, 'live');
    await waitFor(async () => (await readiness(one)) === 200, { what: 'one to be ready again' });
    assert.equal((await playlist(one, agents[0])).headers.connection, 'keep-alive');
    await waitFor(async () => (await statusOf('one')) === 'serving', { what: 'both in service' });
  });

  test('what makes no sense is said: an edge that nobody has, an order that is not there, no fleet', async () => {
    const [unknown, unchanged, both, none] = await Promise.all([
      weir('drain', '--edge', 'nobody'),
      weir('undrain', '--edge', 'two'),
      weir('drain', 'news/a', '--edge', 'two'),
      runWeir(['fleet', '--set', 'registry.kind=file', '--set', 'registry.file.origins=a=b:1']),
    ]);
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /nobody: no such edge is running/);
    assert.match(unchanged.stdout, /^was live {2}default two\n$/);
    assert.equal(both.code, 2);
    assert.equal(none.code, 1);
    assert.match(none.stderr, /there is no fleet: registry.kind is file/);
  });
});
