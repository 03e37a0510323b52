// `npm run bench:balance:live [-- --seconds 60 --registry embedded,zookeeper]`: the bars of loads that drift, of `weir serve` as users run it.
//
// Origins tell loads that walk and jump by themselves, by HTTP to the embedded registry or by zkCli.sh to a real ZooKeeper. Players
// ask for playlists, each request a pick, and who answered is held against the reports at hand at that time. What a worker
// had at hand is not told: of all states between PROPAGATION before the request and its answer, the one that fits best counts.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { packageRoot } from '../../src/package.js';
import { openZkCli, startZooKeeper, type ZkShell } from '../../test/support/zookeeper.js';
import { node, start, stopAll } from '../support/process.js';
import { markdownTable } from '../support/table.js';
import { driftBar } from './bars.js';
import { exponential, seeded } from './random.js';
import { drawWalk } from './walks.js';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    registry: { type: 'string', default: 'embedded,zookeeper' },
    seed: { type: 'string', default: '1' },
  },
});
const seconds = Number(values.seconds);
const CHANNELS = ['news', 'sport', 'talk'];
const SERVERS = 4;
/** Requests a second of each channel, ms between two reports of a server, and from a report to the pick that knows it. */
const RATE = 3;
const REPORT_EVERY = 2_000;
const PROPAGATION = 300;
const TOLERATED = 0.05;

type Loads = 'own' | 'one';

/** What one channel's endpoints told, from a time on. */
interface State {
  readonly since: number;
  readonly loads: readonly number[];
}

interface Writer {
  write(channel: string, endpoint: string, data: object): Promise<void>;
  end(): Promise<void>;
}

async function origins(): Promise<{ readonly server: Server; readonly address: string }[]> {
  return await Promise.all(
    Array.from({ length: SERVERS }, async (_, i) => {
      const body = '#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n1.ts\n';
      const head = { 'content-type': 'application/vnd.apple.mpegurl', 'x-origin': String(i) };
      const server = createServer((_request, answer) => answer.writeHead(200, head).end(body));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return { server, address: `127.0.0.1:${(server.address() as AddressInfo).port}` };
    }),
  );
}

function overHttp(admin: string): Writer {
  return {
    write: async (channel, endpoint, data) => {
      const answer = await fetch(`${admin}/api/v1/channels/${channel}/endpoints/${endpoint}`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ...data, ttl: 60 }),
      });
      await answer.arrayBuffer();
      if (!answer.ok) throw new Error(`a report was answered ${answer.status}`);
    },
    end: async () => {},
  };
}

function overZooKeeper(shell: ZkShell): Writer {
  const known = new Set<string>();
  const create = (path: string, data = '') => {
    shell.run(known.has(path) ? `set ${path} ${data}` : `create ${path} ${data}`);
    known.add(path);
  };
  create('/channels');
  for (const channel of CHANNELS) create(`/channels/${channel}`);
  return {
    write: async (channel, endpoint, data) => create(`/channels/${channel}/${endpoint}`, JSON.stringify(data)),
    end: async () => void (await shell.close()),
  };
}

async function run(registry: string, loads: Loads): Promise<{ picks: number; above: number; worst: number }> {
  const random = seeded(Number(values.seed));
  const zooKeeper = registry === 'zookeeper' ? await startZooKeeper() : undefined;
  const fleet = await origins();
  const from = zooKeeper === undefined ? ['--registry', 'embedded'] : ['--zookeeper', zooKeeper.address];
  // Each request a pick: no session, and no endpoint kept for a margin.
  const settings = ['hls.mode=passthrough', 'balancer.affinityMargin=0', 'log.level=warn'];
  const weir = await start(
    node(
      ...[`${packageRoot}dist/src/main.js`, 'serve', ...from, '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0'],
      ...settings.flatMap((setting) => ['--set', setting]),
    ),
  );
  const [players = '', admin = ''] = weir.firstLine.match(/http:\/\/[^\s,]+/g) ?? [];
  const writer = zooKeeper === undefined ? overHttp(admin) : overZooKeeper(openZkCli(zooKeeper.address));
  const states = new Map(CHANNELS.map((channel): [string, State[]] => [channel, []]));
  const began = performance.now();
  const until = began + 1_000 * seconds;

  const report = async (server: number) => {
    const shared = drawWalk('walk', random);
    const walks = CHANNELS.map(() => (loads === 'one' ? shared : drawWalk('walk', random)));
    for (let first = true; performance.now() < until; first = false) {
      const at = (performance.now() - began) / 1_000;
      // A walk of a minute sees few steps: time runs four times as fast for it.
      for (const [i, channel] of CHANNELS.entries()) {
        const load = Math.round(1_000 * (walks[i]?.(4 * at) ?? 0)) / 1_000;
        const told = { service_address: fleet[server]?.address, load, bitrate: 1200, packet_loss_rate: 0 };
        const history = states.get(channel) ?? [];
        const before = history.at(-1)?.loads ?? [];
        const now = Array.from({ length: SERVERS }, (_, k) => (k === server ? load : (before[k] ?? 1)));
        // From here on it may be known, and PROPAGATION later it has to be.
        history.push({ since: performance.now(), loads: now });
        await writer.write(channel, `server-${server}`, told);
      }
      await sleep(first ? REPORT_EVERY * random() : REPORT_EVERY * (0.8 + 0.4 * random()));
    }
  };

  const found = { picks: 0, above: 0, worst: 0, failed: 0 };
  const ask = async (channel: string) => {
    const sentAt = performance.now();
    const answer = await fetch(`${players}/live/${channel}.m3u8`);
    await answer.arrayBuffer();
    const by = Number(answer.headers.get('x-origin') ?? Number.NaN);
    if (answer.status !== 200 || Number.isNaN(by)) {
      found.failed += 1;
      return;
    }
    const above = leastAbove(states.get(channel) ?? [], by, sentAt - PROPAGATION, performance.now());
    found.picks += 1;
    if (above > TOLERATED) found.above += 1;
    found.worst = Math.max(found.worst, above);
  };
  const play = async (channel: string) => {
    await sleep(5_000);
    while (performance.now() < until) {
      await sleep(exponential(random, 1_000 / RATE));
      await ask(channel);
    }
  };

  try {
    await Promise.all([...fleet.keys()].map(report).concat(CHANNELS.map(play)));
  } finally {
    await writer.end();
    await stopAll();
    await zooKeeper?.stop();
    for (const { server } of fleet) server.close().closeAllConnections();
  }
  if (found.failed > 0 || found.picks === 0) throw new Error(`${found.failed} of ${found.picks} requests failed`);
  return { ...found, above: found.above / found.picks };
}

/** By how much a pick was above the lowest, in the state of this time that fits it best. */
function leastAbove(states: readonly State[], picked: number, from: number, until: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (const [i, { since, loads }] of states.entries()) {
    const next = states[i + 1]?.since ?? Number.POSITIVE_INFINITY;
    if (next < from || since > until) continue;
    least = Math.min(least, (loads[picked] ?? 1) - Math.min(...loads));
  }
  return least;
}

const rows: string[][] = [];
let missed = false;
for (const registry of values.registry.split(',')) {
  for (const loads of ['own', 'one'] as const) {
    const { picks, above, worst } = await run(registry, loads);
    const passed = above <= driftBar.above && worst <= driftBar.worst;
    if (!passed) missed = true;
    const figures = [String(picks), `${(100 * above).toFixed(2)} %`, worst.toFixed(2)];
    rows.push([registry, loads, ...figures, passed ? 'yes' : 'NO']);
  }
}
process.stdout.write(
  `${markdownTable(['registry', 'loads', 'picks', 'more than 0.05 above', 'worst', 'passed'], rows)}\n`,
);
process.exitCode = missed ? 1 : 0;
