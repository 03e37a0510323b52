// `npm run bench:cluster`: what workers bring, and what the hop between them costs. Cached HLS, so that the edge itself is
// the work. The load generator shares the machine: its part of the CPU is printed, since it bounds what can be seen.

import { readdirSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import autocannon from 'autocannon';
import { packageRoot } from '../../src/package.js';
import { node, start, stopAll } from '../support/process.js';
import { markdownTable, median } from '../support/table.js';
import { startWeir } from '../support/weir.js';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '4' },
    connections: { type: 'string', default: '32' },
    help: { type: 'boolean', default: false },
  },
});
if (options.help) {
  console.error('npm run bench:cluster -- [--rounds 3] [--seconds 4] [--connections 32]');
  process.exit(0);
}

interface Sample {
  readonly rate: number;
  /** CPU seconds a request, of all processes of the edge. */
  readonly edgeCpu: number;
  /** Of the supervisor. */
  readonly supervisorCpu: number;
  /** Share of the CPU time used by the generator. */
  readonly generatorShare: number;
}

const objects = [
  { name: 'playlist, under 1 KB', path: '/live/news.m3u8' },
  { name: 'segment, 1 MB', path: '/live/news-100.ts' },
];

async function startEdge(workers: number, origin: string) {
  const settings = [`workers=${workers}`, 'hls.stallFactor=100', 'hls.prefetch=false'];
  const { url, process } = await startWeir({ settings, channel: 'news', origin });
  return { name: workers === 0 ? 'one process' : `${workers} worker${workers > 1 ? 's' : ''}`, url, weir: process };
}

/** CPU seconds of the processes below one, by process. */
function childrenCpu(parent: number): number {
  const ticks = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => {
      try {
        const fields = readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
        return Number(fields[1]) === parent ? Number(fields[11]) + Number(fields[12]) : 0;
      } catch {
        return 0;
      }
    });
  return ticks.reduce((sum, count) => sum + count, 0) / 100;
}

async function measure({ url, weir }: Awaited<ReturnType<typeof startEdge>>, path: string): Promise<Sample> {
  const before = { own: process.cpuUsage(), supervisor: weir.cpuSeconds(), workers: childrenCpu(weir.pid) };
  const result = await autocannon({
    url: url + path,
    connections: Number(options.connections),
    duration: Number(options.seconds),
  });
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${result.non2xx} wrong answers, ${result.errors} errors`);
  const { user, system } = process.cpuUsage(before.own);
  const supervisor = weir.cpuSeconds() - before.supervisor;
  const edge = supervisor + childrenCpu(weir.pid) - before.workers;
  const { total, average } = result.requests;
  const generator = (user + system) / 1e6;
  return {
    rate: average,
    edgeCpu: edge / total,
    supervisorCpu: supervisor / total,
    generatorShare: generator / (generator + edge),
  };
}

async function main(): Promise<void> {
  const origin = await start(node(`${packageRoot}dist/bench/proxy/origin.js`));
  const edges = [];
  for (const workers of [0, 1, 2]) edges.push(await startEdge(workers, `http://127.0.0.1:${origin.firstLine}`));
  for (const { url } of edges) for (const { path } of objects) await (await fetch(url + path)).arrayBuffer();
  const rows: string[][] = [];
  for (const { name: object, path } of objects) {
    const samples = new Map<string, Sample[]>(edges.map(({ name }) => [name, []]));
    for (let round = 0; round <= Number(options.rounds); round += 1) {
      for (const edge of edges) {
        // Round 0 warms up.
        const sample = await measure(edge, path);
        if (round > 0) samples.get(edge.name)?.push(sample);
        console.error(`${object}, round ${round} of ${options.rounds}: ${edge.name}`);
      }
    }
    const middle = (name: string, value: (sample: Sample) => number) => median((samples.get(name) ?? []).map(value));
    for (const { name } of edges) {
      const ratio = (value: (sample: Sample) => number) => (middle(name, value) / middle('1 worker', value)).toFixed(2);
      const share = (value: number) => `${Math.round(100 * value)} %`;
      rows.push([
        object,
        name,
        ratio((s) => s.rate),
        ratio((s) => s.edgeCpu),
        share(middle(name, (s) => s.supervisorCpu / s.edgeCpu)),
        share(middle(name, (s) => s.generatorShare)),
      ]);
    }
  }
  const header = [
    'object',
    'edge',
    'requests/s ÷ 1 worker',
    'edge CPU a request ÷ 1 worker',
    'of it supervisor',
    'CPU of the generator',
  ];
  process.stdout.write(`${markdownTable(header, rows)}\n`);
  process.stdout.write(
    '\nWith two workers, half of the requests come to the one that does not own the channel: what a request costs there beyond' +
      ' one worker is half of the hop.\n',
  );
}

try {
  await main();
} finally {
  await stopAll();
}
