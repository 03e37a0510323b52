// `weir agent` beside a real Node-Media-Server, between ffmpeg and players of a real edge on a real ZooKeeper.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { cleanupsAfterEach } from '../support/cleanups.js';
import { FlvViewer } from '../support/flv-viewer.js';
import { runNodeMediaServer } from '../support/media-origins.js';
import { closedPort } from '../support/ports.js';
import { waitFor } from '../support/wait.js';
import { serveWeir, spawnWeir } from '../support/weir.js';
import { startZooKeeper } from '../support/zookeeper.js';

const cleanups = cleanupsAfterEach();
const deadline = 60_000;

/** Resolves with the time of the first media at a URL, which is asked again until there is some. */
async function firstMedia(url: string): Promise<number> {
  return await waitFor(
    async () => {
      const viewer = FlvViewer.open(url);
      await waitFor(() => viewer.ended || viewer.media.length > 0, { deadline });
      viewer.leave();
      return viewer.media[0]?.at;
    },
    { deadline, interval: 20, what: `media at ${url}` },
  );
}

test('a stream plays through the edge while it is published, and is out when it ends, its server hangs or is killed', async (t) => {
  const hooks = `127.0.0.1:${await closedPort()}`;
  const [zooKeeper, nms] = await Promise.all([startZooKeeper(), runNodeMediaServer(`http://${hooks}/notify`)]);
  cleanups.push(
    () => zooKeeper.stop(),
    () => nms.kill(),
  );
  const at = ['--zookeeper', zooKeeper.address];
  const edge = await serveWeir(...at, '--set', 'workers=0');
  cleanups.push(() => edge.stop());

  const api = ['--api', `http://${nms.address}`, '--api-user', 'admin', '--api-secret-file', nms.passwordFile];
  const address = ['--host', '127.0.0.1', '--address', `http://${nms.address}/{app}/{stream}`];
  let log = '';
  const startAgent = async (...more: string[]) => {
    const from = log.length;
    const agent = spawnWeir(['agent', 'node-media-server', ...api, ...address, '--viewers', '100', ...more, ...at]);
    cleanups.push(() => agent.kill('SIGKILL'));
    for (const stream of [agent.stderr, agent.stdout]) {
      stream?.on('data', (text) => {
        log += text;
      });
    }
    await waitFor(() => log.slice(from).includes('agent ready'), { deadline, what: 'the agent' });
    return agent;
  };
  const known = async () => {
    const answer = await fetch(`${edge.admin}/api/v1/snapshot`);
    const { channels } = (await answer.json()) as { channels: { channel: string; endpoints: object[] }[] };
    return channels;
  };
  const out = async (what: string) => {
    const start = performance.now();
    const isOut = async () => (await known()).length === 0;
    await waitFor(isOut, { deadline, what }).catch(() => assert.fail(`${what}\n${log}`));
    t.diagnostic(`${what}: out after ${Math.round(performance.now() - start)} ms`);
  };
  const back = (what: string) => waitFor(async () => (await known())[0]?.channel === 'news', { deadline, what });

  // So seldom does it look by itself that it finds the stream only because it is called.
  const agent = await startAgent('--hooks', hooks, '--interval', '30s', '--silence', '60s');
  const feed = nms.publish('news');
  const [direct, relayed] = await Promise.all([
    firstMedia(`http://${nms.address}/live/news.flv`),
    firstMedia(`${edge.players}/live/news.flv`),
  ]);
  t.diagnostic(`first media through the edge ${Math.round(relayed - direct)} ms after that of the server`);
  assert.ok(relayed - direct < 20_000);
  const endpoint = (await known())[0]?.endpoints[0] as Record<string, unknown>;
  assert.equal(endpoint['service_address'], `http://${nms.address}/live/news`);
  assert.equal(typeof endpoint['load'], 'number');

  const exited = once(agent, 'exit');
  agent.kill('SIGTERM');
  await out('the agent asked to end');
  assert.deepEqual(await exited, [0, null]);

  await startAgent();
  await back('without hooks');
  await feed.stop();
  await out('unpublished');
  nms.publish('news');
  await back('published again');
  nms.freeze();
  await out('frozen');
  nms.thaw();
  await back('thawed');
  await nms.kill();
  await out('killed');
});
