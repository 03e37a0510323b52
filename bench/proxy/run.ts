// `npm run bench`: the bare origin, http-proxy and weir, one after the other in every round. First every contestant is
// proven to deliver the right bytes. What is printed are ratios of one run: absolute times of a shared machine say little.

import { createHash } from 'node:crypto';
import { parseArgs } from 'node:util';
import autocannon from 'autocannon';
import { packageRoot } from '../../src/package.js';
import { type BenchProcess, node, start, stopAll } from '../support/process.js';
import { markdownTable, median } from '../support/table.js';
import { startWeir } from '../support/weir.js';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '4' },
    warmup: { type: 'string', default: '12' },
    connections: { type: 'string', default: '32' },
    help: { type: 'boolean', default: false },
  },
});
if (options.help) {
  console.error('npm run bench -- [--rounds 3] [--seconds 4] [--warmup 12] [--connections 32]');
  process.exit(0);
}

interface Contestant {
  readonly name: string;
  readonly url: string;
  readonly process: BenchProcess;
}
interface Sample {
  readonly rate: number;
  readonly cpuPerRequest: number;
  readonly p99: number;
}

const objects = [
  { name: 'playlist, under 1 KB', path: '/live/news.m3u8' },
  { name: 'segment, 1 MB', path: '/live/news-100.ts' },
];
const here = `${packageRoot}dist/bench/proxy/`;

async function startContestants(): Promise<Contestant[]> {
  const origin = await start(node(`${here}origin.js`));
  const originUrl = `http://127.0.0.1:${origin.firstLine}`;
  const peer = await start(node(`${here}http-proxy-peer.js`, originUrl));
  // Proxy beside proxy: what the HLS sessions save is another benchmark's matter.
  const weir = await startWeir({ settings: ['workers=0', 'hls.mode=passthrough'], channel: 'news', origin: originUrl });
  return [
    { name: 'bare origin', url: originUrl, process: origin },
    { name: 'http-proxy', url: `http://127.0.0.1:${peer.firstLine}`, process: peer },
    { name: 'weir', ...weir },
  ];
}

async function digest(url: string): Promise<string> {
  const answer = await fetch(url);
  if (answer.status !== 200) throw new Error(`${url} answered ${answer.status}`);
  return createHash('sha256')
    .update(Buffer.from(await answer.arrayBuffer()))
    .digest('hex');
}

async function proveCorrect(contestants: readonly Contestant[]): Promise<void> {
  for (const { path } of objects) {
    const digests = await Promise.all(contestants.map(({ url }) => digest(url + path)));
    const wrong = contestants.find((_, i) => digests[i] !== digests[0]);
    if (wrong !== undefined) throw new Error(`${wrong.name} delivers other bytes for ${path} than the origin`);
  }
}

async function measure(contestant: Contestant, path: string, seconds: number): Promise<Sample> {
  const cpuBefore = contestant.process.cpuSeconds();
  const result = await autocannon({
    url: contestant.url + path,
    connections: Number(options.connections),
    duration: seconds,
  });
  if (result.non2xx > 0 || result.errors > 0) {
    throw new Error(`${contestant.name}: ${result.non2xx} wrong answers, ${result.errors} errors`);
  }
  const cpu = contestant.process.cpuSeconds() - cpuBefore;
  return { rate: result.requests.average, cpuPerRequest: cpu / result.requests.total, p99: result.latency.p99 };
}

async function main(): Promise<void> {
  const contestants = await startContestants();
  await proveCorrect(contestants);
  console.error('every contestant delivers the bytes of the origin');
  const rows: string[][] = [];
  for (const { name: object, path } of objects) {
    const samples = new Map<string, Sample[]>(contestants.map(({ name }) => [name, []]));
    for (let round = 0; round <= Number(options.rounds); round++) {
      for (const contestant of contestants) {
        // Round 0 warms up the compilers and the connections: at a few hundred requests a second that takes long.
        const sample = await measure(contestant, path, Number(round === 0 ? options.warmup : options.seconds));
        if (round > 0) samples.get(contestant.name)?.push(sample);
        console.error(`${object}, round ${round} of ${options.rounds}: ${contestant.name}`);
      }
    }
    const middle = (name: string, value: (sample: Sample) => number) => median((samples.get(name) ?? []).map(value));
    for (const { name } of contestants) {
      const ratio = (value: (sample: Sample) => number) => {
        return `${(middle(name, value) / middle('http-proxy', value)).toFixed(2)}`;
      };
      rows.push([object, name, ratio((s) => s.rate), ratio((s) => s.cpuPerRequest), ratio((s) => s.p99)]);
    }
  }
  const header = ['object', 'contestant', 'requests/s ÷ http-proxy', 'CPU a request ÷ http-proxy', 'p99 ÷ http-proxy'];
  process.stdout.write(`${markdownTable(header, rows)}\n`);
}

try {
  await main();
} finally {
  await stopAll();
}
