// `npm run bench:hub`: what it costs an edge to take a stream from another edge instead of the origin, and that other edge to give
// it. Both ways are measured in turn, each time with new processes.

import { once } from 'node:events';
import { createServer } from 'node:net';
import { parseArgs } from 'node:util';
import { owningEdge } from '../../src/sharding/owner.js';
import { compile, programs } from '../relay/contestants.js';
import { fault, swarm } from '../relay/swarm.js';
import { start, stopAll } from '../support/process.js';
import { markdownTable, median } from '../support/table.js';
import { startWeir } from '../support/weir.js';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '5' },
    viewers: { type: 'string', default: '1000' },
    help: { type: 'boolean', default: false },
  },
});
if (options.help) {
  console.error('npm run bench:hub -- [--rounds 5] [--seconds 5] [--viewers 1000]');
  process.exit(0);
}
const [rounds, seconds, viewers] = [Number(options.rounds), Number(options.seconds), Number(options.viewers)];

const channel = 'bench';
const bitrate = 1_000_000;
/** ms of the stream that viewers get at once. */
const window = 100;

interface Sample {
  /** CPU seconds a second of the edge with the viewers, and of the one that owns the channel. */
  readonly taker: number;
  readonly owner: number;
  /** ms, at the viewers. */
  readonly latency: number;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

async function measure(hub: boolean): Promise<Sample> {
  const origin = await start([programs.fanout, '0', '40', String(bitrate)]);
  const edges = await Promise.all(['a', 'b'].map(async (name) => ({ name, address: `127.0.0.1:${await freePort()}` })));
  const peers = edges.map(({ name, address }) => `${name}@${address}`).join(',');
  process.env['WEIR_FLEET_SECRET'] = 'the-secret-of-a-benchmark-is-no-secret';
  const startEdge = ({ name, address }: { name: string; address: string }) => {
    const fleet = { name, hub, peerListen: address, peers };
    const settings = Object.entries(fleet).map(([key, value]) => `fleet.${key}=${value}`);
    const more = ['workers=0', `relay.mergeWindow=${window}ms`, 'http.maxConnections=100000'];
    return startWeir({ settings: [...more, ...settings], channel, origin: `127.0.0.1:${origin.firstLine}` });
  };
  const owning = owningEdge(channel, edges);
  const [owner, taker] = await Promise.all(
    [...edges.filter((edge) => edge === owning), ...edges.filter((edge) => edge !== owning)].map(startEdge),
  );
  if (owner === undefined || taker === undefined) throw new Error('two edges');
  let before = { owner: 0, taker: 0 };
  const used = () => ({ owner: owner.process.cpuSeconds(), taker: taker.process.cpuSeconds() });
  const result = await swarm(
    Number(new URL(taker.url).port),
    { viewers, pace: 500, warmup: 3, seconds, protocol: 'http' },
    () => {
      before = used();
    },
  );
  const after = used();
  await Promise.all([owner.process.stop(), taker.process.stop(), origin.stop()]);
  const wrong = fault(result, bitrate, window);
  if (wrong !== undefined) throw new Error(`not correct: ${wrong}`);
  return {
    taker: (after.taker - before.taker) / result.seconds,
    owner: (after.owner - before.owner) / result.seconds,
    latency: result.latency_ms.p99,
  };
}

try {
  compile();
  const [direct, byHub]: [Sample[], Sample[]] = [[], []];
  for (let round = 1; round <= rounds; round += 1) {
    direct.push(await measure(false));
    byHub.push(await measure(true));
    console.error(`round ${round} of ${rounds}`);
  }
  const of = (samples: readonly Sample[], what: keyof Sample) => median(samples.map((sample) => sample[what]));
  const ratio = (what: keyof Sample) => (of(byHub, what) / of(direct, what)).toFixed(2);
  const millis = (value: number) => `${(1_000 * value).toFixed(1)} ms`;
  const rows = [
    ['the edge with the viewers', millis(of(direct, 'taker')), millis(of(byHub, 'taker')), ratio('taker')],
    ['the other edge', millis(of(direct, 'owner')), millis(of(byHub, 'owner')), ''],
    ['latency at the viewers, p99', `${of(direct, 'latency')} ms`, `${of(byHub, 'latency')} ms`, ratio('latency')],
  ];
  const header = [`${viewers} viewers, medians of ${rounds}`, 'from the origin', 'from the other edge', 'ratio'];
  process.stdout.write(
    `CPU a second of one FLV stream of ${bitrate / 1_000} kbit/s\n\n${markdownTable(header, rows)}\n`,
  );
} finally {
  await stopAll();
}
